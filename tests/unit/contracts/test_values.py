import pytest

from smtpgated_contracts.values.policy import Lock, address_subject, identity_subject
from smtpgated_contracts.values.scan import (
    EngineClass,
    Finding,
    Missing,
    Verdict,
    VerdictKind,
    unscanned,
)

VIRUS, SPAM = EngineClass.VIRUS, EngineClass.SPAM


@pytest.mark.parametrize(
    ("expires_at_ms", "now_ms", "holds"),
    [(0, 10**15, True), (1000, 999, True), (1000, 1000, False), (1000, 1001, False)],
)
def test_a_lock_holds_until_its_moment(expires_at_ms: int, now_ms: int, holds: bool) -> None:
    assert Lock("address:192.0.2.1", "virus", expires_at_ms).holds_at(now_ms) is holds


def test_subjects_of_different_kinds_never_meet() -> None:
    assert address_subject("192.0.2.1") == "address:192.0.2.1"
    assert identity_subject("192.0.2.1") == "identity:192.0.2.1"


def test_the_score_of_a_verdict_is_the_highest() -> None:
    findings = tuple(
        Finding("e", SPAM, VerdictKind.SUSPECT, score=score) for score in (-3.0, 7.5, 2.0)
    )
    assert Verdict(VerdictKind.SUSPECT, findings).score == 7.5
    assert Verdict(VerdictKind.CLEAN).score == 0.0


def test_names_are_of_what_was_found() -> None:
    verdict = Verdict(
        VerdictKind.INFECTED,
        (
            Finding("a", VIRUS, VerdictKind.INFECTED, "Worm"),
            Finding("b", SPAM, VerdictKind.CLEAN, "HAM"),
            Finding("c", SPAM, VerdictKind.SUSPECT, ""),
        ),
    )
    assert verdict.names == ("Worm",)


def test_when_nobody_judged_every_class_is_missing() -> None:
    assert unscanned("away") == Verdict(
        VerdictKind.UNSCANNED, missing=(Missing(VIRUS, "away"), Missing(SPAM, "away"))
    )
    assert unscanned("away", SPAM).missing == (Missing(SPAM, "away"),)
