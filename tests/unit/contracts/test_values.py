import pytest

from smtpgated_contracts.values.policy import (
    Lock,
    Stage,
    StageUntil,
    address_subject,
    identity_subject,
)
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


def test_a_lock_without_stages_refuses_until_it_expires() -> None:
    lock = Lock("address:192.0.2.1", "virus", 1000)
    assert (lock.stage_at(999), lock.stage_at(1000)) == (Stage.REFUSE, None)


def test_a_staged_lock_grows_milder_by_itself() -> None:
    stages = (StageUntil(Stage.REFUSE, 100), StageUntil(Stage.THROTTLE, 300))
    lock = Lock("address:192.0.2.1", "penalty", 300, stages=stages)
    assert [lock.stage_at(now) for now in (0, 99, 100, 299, 300)] == [
        Stage.REFUSE,
        Stage.REFUSE,
        Stage.THROTTLE,
        Stage.THROTTLE,
        None,
    ]


def test_a_stage_without_end_lasts_until_the_lock_is_removed() -> None:
    lock = Lock("address:192.0.2.1", "by hand", stages=(StageUntil(Stage.REQUIRE_AUTH, 0),))
    assert lock.stage_at(10**15) is Stage.REQUIRE_AUTH
