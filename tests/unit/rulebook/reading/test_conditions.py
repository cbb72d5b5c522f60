from dataclasses import replace

import pytest

from rulebook.conditions import FACTS as FACTS_BY_KEY
from rulebook.errors import RulebookError
from rulebook.reading.conditions import CONDITIONS, MOST_PATTERNS
from rulebook.values import Facts, SpfResult
from smtpgated_contracts.values.scan import VerdictKind

FACTS = Facts(
    source="192.0.2.7",
    destination="198.51.100.25",
    destination_port=587,
    identity="subscriber-17",
    authenticated=True,
    verdict=VerdictKind.SUSPECT,
    score=5.0,
    size_octets=1000,
    helo=b"mail.src.example",
    reverse_path=b"Someone@Mail.Src.Example",
    recipient="abuse@b\u00fccher.example".encode(),
    auth_user=b"user-17",
    auth_offered=True,
    spf=SpfResult.SOFTFAIL,
    dnsbl=frozenset({"bl.example.org"}),
    load=2.5,
    found=("clamd:Test.Found", "yara:macro"),
)


@pytest.mark.parametrize(
    ("key", "value", "holds"),
    [
        ("source", "192.0.2.0/24", True),
        ("source", ["203.0.113.0/24", "192.0.2.7"], True),
        ("source", "198.51.100.25", False),
        ("destination", "198.51.100.25", True),
        ("destination", "192.0.2.7", False),
        ("destination_port", 587, True),
        ("destination_port", [25, 587], True),
        ("destination_port", 25, False),
        ("identity", "subscriber-17", True),
        ("identity", ["", "subscriber-17"], True),
        ("identity", "subscriber-1", False),
        ("identity", "", False),
        ("authenticated", True, True),
        ("authenticated", False, False),
        ("verdict", "suspect", True),
        ("verdict", ["infected", "suspect"], True),
        ("verdict", "clean", False),
        ("score_at_least", 5, True),
        ("score_at_least", 5.1, False),
        ("score_at_least", -1.5, True),
        ("size_over_octets", 999, True),
        ("size_over_octets", 1000, False),
        ("helo_matches", r"\.src\.", True),
        ("helo_matches", ["nothing", "^mail"], True),
        ("helo_matches", "^src", False),
        ("helo_matches_not", "^src", True),
        ("helo_matches_not", ["nothing", "^mail"], False),
        ("mail_from_matches", "^Someone@", True),
        ("mail_from_matches", "^someone@", False),
        ("mail_from_matches", "(?i)^someone@", True),
        ("mail_from_matches_not", "^someone@", True),
        ("rcpt_to_matches", "^abuse@", True),
        ("rcpt_to_matches_not", "^abuse@", False),
        ("sender_domain", "mail.src.example", True),
        ("sender_domain", "src.example", False),
        ("sender_domain", ".src.example", True),
        ("sender_domain", ".mail.src.example", True),
        ("sender_domain", ["other.example", ".example"], True),
        ("sender_domain", "", False),
        ("recipient_domain", "b\u00fccher.example", True),
        ("recipient_domain", "xn--bcher-kva.example", True),
        ("recipient_domain", ".xn--bcher-kva.example", True),
        ("auth_user", ["", "user-17"], True),
        ("auth_user", "user", False),
        ("auth_offered", True, True),
        ("auth_offered", False, False),
        ("spf", ["fail", "softfail"], True),
        ("spf", "pass", False),
        ("dnsbl", ["bl.example.org", "other.example.org"], True),
        ("dnsbl", "other.example.org", False),
        ("load_over", 2.4, True),
        ("load_over", 2.5, False),
        ("found_matches", "^clamd:", True),
        ("found_matches", "macro$", True),
        ("found_matches", "^spamd:", False),
    ],
)
def test_a_condition_holds_for_the_facts_it_names(key: str, value: object, holds: bool) -> None:
    assert CONDITIONS[key](key, value)(FACTS) is holds


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("source", ""),
        ("source", []),
        ("source", 7),
        ("source", ["192.0.2.0/24", 7]),
        ("source", "192.0.2.7/24"),
        ("destination", {"net": "192.0.2.0/24"}),
        ("destination_port", 0),
        ("destination_port", 65536),
        ("destination_port", "25"),
        ("destination_port", True),
        ("destination_port", []),
        ("destination_port", [25, "587"]),
        ("identity", 17),
        ("identity", []),
        ("authenticated", "yes"),
        ("authenticated", 1),
        ("verdict", "dirty"),
        ("verdict", []),
        ("verdict", None),
        ("score_at_least", "5"),
        ("score_at_least", True),
        ("score_at_least", float("nan")),
        ("score_at_least", float("inf")),
        ("size_over_octets", [1000]),
        ("helo_matches", "("),
        ("helo_matches", ""),
        ("helo_matches", 7),
        ("helo_matches", ["a"] * (MOST_PATTERNS + 1)),
        ("sender_domain", "Src.Example"),
        ("sender_domain", "someone@src.example"),
        ("sender_domain", "src..example"),
        ("sender_domain", "."),
        ("sender_domain", "*.example"),
        ("auth_user", 17),
        ("auth_offered", "yes"),
        ("spf", "hardfail"),
        ("spf", True),
        ("dnsbl", []),
        ("load_over", "4"),
        ("found_matches", "["),
    ],
)
def test_a_value_that_cannot_be_meant_is_an_error(key: str, value: object) -> None:
    with pytest.raises(RulebookError):
        CONDITIONS[key](key, value)


def test_before_content_no_verdict_condition_holds() -> None:
    before = replace(FACTS, verdict=None)
    assert not any(CONDITIONS["verdict"]("verdict", kind.value)(before) for kind in VerdictKind)


@pytest.mark.parametrize("key", ["spf", "dnsbl", "sender_domain", "auth_user", "found_matches"])
def test_what_nobody_knows_makes_no_condition_hold(key: str) -> None:
    values = {"spf": "none", "found_matches": "."}
    assert not CONDITIONS[key](key, values.get(key, "a.example"))(Facts("192.0.2.7"))


def test_a_sender_without_domain_is_in_the_empty_one() -> None:
    bounce = replace(FACTS, reverse_path=b"")
    assert CONDITIONS["sender_domain"]("sender_domain", "")(bounce)
    assert not CONDITIONS["sender_domain"]("sender_domain", ".example")(bounce)


def test_every_fact_has_a_reader_and_every_reader_a_fact() -> None:
    assert set(CONDITIONS) == set(FACTS_BY_KEY)


def test_conditions_of_the_same_text_are_equal() -> None:
    for key, value in (("helo_matches", "a"), ("source", "192.0.2.0/24"), ("spf", "fail")):
        assert CONDITIONS[key](key, value) == CONDITIONS[key](key, value)
