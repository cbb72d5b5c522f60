"""What the old program demanded of clients is demanded by rules."""

from typing import Any

import pytest

from edge_proxy.legacy.documents import documents
from edge_proxy.legacy.draft import Draft, File
from edge_proxy.legacy.translate import translate
from rulebook.document import parse
from rulebook.evaluate import evaluate
from rulebook.values import Action, Facts, Phase, Rulebook, Ruling, SpfResult

_FIXED = "mode fixed\nfixed_server 198.51.100.25\n"


def draft(text: str) -> Draft:
    return translate(_FIXED + text)[1]


def rulebook(text: str) -> Rulebook:
    return parse(documents(draft(text))[File.RULEBOOK])


def ruled(text: str, phase: Phase, **facts: Any) -> Ruling:
    return evaluate(rulebook(text), phase, Facts("203.0.113.7", **facts))


@pytest.mark.parametrize(
    ("what", "phase", "fact"),
    [
        ("helo", Phase.HELO, "helo"),
        ("mail_from", Phase.MAIL, "reverse_path"),
        ("rcpt_to", Phase.RCPT, "recipient"),
    ],
)
def test_a_pattern_is_enforced_or_rejected_in_its_phase(what: str, phase: Phase, fact: str) -> None:
    enforced = rf"regex_enforce_{what} \.example$"
    assert ruled(enforced, phase, **{fact: b"far.example"}).action is None
    refusing = ruled(enforced, phase, **{fact: b"far.test"})
    assert refusing.action is Action.REFUSE
    assert refusing.rule_id == f"regex-{what.replace('_', '-')}:enforce"
    rejected = f"regex_reject_{what} [.]example$\nmsg_regex_{what} Not from here"
    refusing = ruled(rejected, phase, **{fact: b"far.example"})
    assert (refusing.action, refusing.reply) == (Action.REFUSE, "Not from here")
    assert ruled(rejected, phase, **{fact: b"far.test"}).action is None


@pytest.mark.parametrize(
    ("lock_on", "lock_s"), [("", 3600), ("lock_on regex", 3600), ("lock_on virus", 0)]
)
def test_a_pattern_locks_if_lock_on_says_so(lock_on: str, lock_s: int) -> None:
    ruling = ruled(f"regex_reject_helo ^x\n{lock_on}", Phase.HELO, helo=b"x")
    assert [each.lock_s for each in ruling.sanctions] == ([lock_s] if lock_s else [])


def test_the_authenticated_are_spared_patterns_of_addresses_if_auth_skip_says_so() -> None:
    text = "regex_reject_mail_from ^x\nregex_reject_helo ^x\nauth_skip regex"
    assert ruled(text, Phase.MAIL, reverse_path=b"x").action is Action.REFUSE
    assert ruled(text, Phase.MAIL, reverse_path=b"x", authenticated=True).action is None
    assert ruled(text, Phase.HELO, helo=b"x", authenticated=True).action is Action.REFUSE


def test_a_pattern_that_is_none_any_more_is_missed() -> None:
    made = draft(r"regex_reject_helo \C")
    assert "is not a pattern" in made.lacking["regex_reject_helo"]
    parse(documents(made)[File.RULEBOOK])


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("spf incoming", "client"),
        ("spf outgoing", "egress"),
        ("spf fixed\nspf_fixed_ip 192.0.2.9", "192.0.2.9"),
    ],
)
def test_spf_refuses_a_fail_of_whom_it_was_asked_about(text: str, address: str) -> None:
    assert rulebook(text).spf.address == address
    failing = ruled(text, Phase.MAIL, spf=SpfResult.FAIL)
    assert (failing.action, failing.rule_id) == (Action.REFUSE, "spf")
    assert failing.sanctions
    assert ruled(text, Phase.MAIL, spf=SpfResult.FAIL, authenticated=True).action is None
    for other in set(SpfResult) - {SpfResult.FAIL}:
        assert ruled(text, Phase.MAIL, spf=other).action is None


def test_spf_that_was_only_logged_is_only_noted() -> None:
    ruling = ruled("spf incoming\nspf_log_only yes", Phase.MAIL, spf=SpfResult.FAIL)
    assert (ruling.action, ruling.noted, ruling.sanctions) == (None, ("spf",), ())


def test_a_fixed_address_that_is_not_given_is_missed() -> None:
    assert "spf" in draft("spf fixed").lacking


def test_any_answer_of_a_zone_refuses_the_connection() -> None:
    text = "dnsbl BL.example, other.example.\nlock_on dnsbl\nmsg_dnsdb_reject Listed"
    book = rulebook(text)
    assert [each.zone for each in book.dnsbl] == ["bl.example", "other.example"]
    assert book.dnsbl[0].answers.covers("192.0.2.1")
    ruling = ruled(text, Phase.CONNECT, dnsbl=frozenset({"other.example"}))
    assert (ruling.action, ruling.rule_id, ruling.reply) == (Action.REFUSE, "dnsbl", "Listed")
    assert ruling.sanctions[0].lock_s == 3600
    assert ruled(text, Phase.CONNECT).action is None


def test_zones_wait_for_authentication_if_auth_skip_says_so() -> None:
    text = "dnsbl bl.example\nauth_skip dnsbl"
    listed = {"dnsbl": frozenset({"bl.example"})}
    assert ruled(text, Phase.CONNECT, **listed).action is None
    assert ruled(text, Phase.MAIL, **listed).action is Action.REFUSE
    assert ruled(text, Phase.MAIL, authenticated=True, **listed).action is None


def test_what_is_no_zone_is_missed_and_the_others_are_asked() -> None:
    made = draft("dnsbl bl.example,nonsense,a b.example")
    assert "dnsbl" in made.lacking
    assert [each.zone for each in parse(documents(made)[File.RULEBOOK]).dnsbl] == ["bl.example"]
