from dataclasses import replace

import pytest

from rulebook.errors import RulebookError
from rulebook.reading.conditions import CONDITIONS
from rulebook.values import Facts
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
    ],
)
def test_a_value_that_cannot_be_meant_is_an_error(key: str, value: object) -> None:
    with pytest.raises(RulebookError):
        CONDITIONS[key](key, value)


def test_before_content_no_verdict_condition_holds() -> None:
    before = replace(FACTS, verdict=None)
    assert not any(CONDITIONS["verdict"]("verdict", kind.value)(before) for kind in VerdictKind)
