"""Every combination that matters of lock, rule, verdict, size and stance, as a table."""

import itertools
from typing import Final

import pytest

from edge_proxy.relay import refusals
from edge_proxy.relay.judgement import RELEASED, Judgement, judge_content
from edge_proxy.relay.refusals import Refusal
from rulebook.evaluate import SILENT
from rulebook.values import Action, Oversize, Rulebook, Ruling, Scanning, Stance
from smtpgated_contracts.values.policy import Disposition
from smtpgated_contracts.values.scan import EngineClass, Missing, Verdict, VerdictKind

VIRUS, SPAM = EngineClass.VIRUS, EngineClass.SPAM
OPEN, CLOSED = Stance.OPEN, Stance.CLOSED
NOBODY: Final[frozenset[EngineClass]] = frozenset()
BOTH: Final = frozenset(EngineClass)

ADMITS: Final = Ruling(action=Action.ADMIT, rule_id="r")
REFUSES: Final = Ruling(action=Action.REFUSE, rule_id="r", reply="Not here")
REFUSES_MUTELY: Final = Ruling(action=Action.REFUSE, rule_id="r")
DEFERS: Final = Ruling(action=Action.DEFER, rule_id="r")


def verdict(kind: VerdictKind, *missing: EngineClass) -> Verdict:
    return Verdict(kind, missing=tuple(Missing(each, "away") for each in missing))


def judged(
    ruling: Ruling,
    said: Verdict | None,
    *,
    virus: Stance = CLOSED,
    spam: Stance = OPEN,
    oversize: Oversize = Oversize.REFUSE,
    skipped: frozenset[EngineClass] = NOBODY,
    locked: bool = False,
    oversized: bool = False,
) -> Judgement:
    rulebook = Rulebook(scanning=Scanning(oversize=oversize, stances={VIRUS: virus, SPAM: spam}))
    return judge_content(
        rulebook, ruling, said, skipped=skipped, locked=locked, oversized=oversized
    )


CLEAN = verdict(VerdictKind.CLEAN)
SUSPECT = verdict(VerdictKind.SUSPECT)
INFECTED = verdict(VerdictKind.INFECTED)
UNSCANNED = verdict(VerdictKind.UNSCANNED, VIRUS, SPAM)
UNSCANNED_UNSAID = verdict(VerdictKind.UNSCANNED)
EVERYTHING: Final = (CLEAN, SUSPECT, INFECTED, UNSCANNED, None)
EVERY_RULING: Final = (SILENT, ADMITS, REFUSES, DEFERS)


@pytest.mark.parametrize(
    ("said", "disposition", "refusal", "rule_id"),
    [
        (CLEAN, Disposition.RELEASE, None, ""),
        (None, Disposition.RELEASE, None, ""),
        (SUSPECT, Disposition.RELEASE, None, ""),  # spam is the rules' affair
        (INFECTED, Disposition.REFUSE, refusals.INFECTED, "infected-by-default"),
        (UNSCANNED, Disposition.DEFER, refusals.NOT_SCANNED, "stance"),
        (UNSCANNED_UNSAID, Disposition.DEFER, refusals.NOT_SCANNED, "stance"),
    ],
)
def test_without_a_rule_the_verdict_decides(
    said: Verdict | None, disposition: Disposition, refusal: Refusal | None, rule_id: str
) -> None:
    assert judged(SILENT, said) == Judgement(disposition, refusal, rule_id)


@pytest.mark.parametrize("said", EVERYTHING)
@pytest.mark.parametrize("oversized", [True, False])
def test_a_rule_that_admits_has_the_word(said: Verdict | None, oversized: bool) -> None:
    assert judged(ADMITS, said, oversized=oversized) == Judgement(Disposition.RELEASE, rule_id="r")


@pytest.mark.parametrize("said", EVERYTHING)
@pytest.mark.parametrize("oversized", [True, False])
def test_a_rule_that_refuses_or_defers_has_the_word(said: Verdict | None, oversized: bool) -> None:
    refused = judged(REFUSES, said, oversized=oversized)
    assert (refused.disposition, refused.rule_id) == (Disposition.REFUSE, "r")
    assert refused.refusal is not None
    assert (refused.refusal.code, refused.refusal.text) == (550, "Not here")
    deferred = judged(DEFERS, said, oversized=oversized)
    assert deferred == Judgement(Disposition.DEFER, refusals.CONTENT_DEFERRED, "r")


def test_a_rule_without_words_refuses_in_ours() -> None:
    assert judged(REFUSES_MUTELY, INFECTED).refusal == refusals.INFECTED
    assert judged(REFUSES_MUTELY, SUSPECT).refusal == refusals.CONTENT_REFUSED


@pytest.mark.parametrize(("ruling", "said"), list(itertools.product(EVERY_RULING, EVERYTHING)))
def test_a_lock_comes_before_everything(ruling: Ruling, said: Verdict | None) -> None:
    assert judged(ruling, said, locked=True) == Judgement(
        Disposition.DEFER, refusals.LOCKED_MEANWHILE, "lock"
    )


@pytest.mark.parametrize(
    ("oversize", "said", "expected"),
    [
        (Oversize.RELEASE, UNSCANNED, Judgement(Disposition.RELEASE, rule_id="oversize")),
        (Oversize.REFUSE, UNSCANNED, Judgement(Disposition.REFUSE, refusals.TOO_LARGE, "oversize")),
        (Oversize.REFUSE, CLEAN, Judgement(Disposition.REFUSE, refusals.TOO_LARGE, "oversize")),
        (Oversize.HEAD, CLEAN, RELEASED),
        (Oversize.HEAD, UNSCANNED, Judgement(Disposition.DEFER, refusals.NOT_SCANNED, "stance")),
    ],
)
def test_content_above_the_limit(oversize: Oversize, said: Verdict, expected: Judgement) -> None:
    assert judged(SILENT, said, oversize=oversize, oversized=True) == expected


@pytest.mark.parametrize("oversize", Oversize)
def test_infected_content_is_refused_whatever_its_size(oversize: Oversize) -> None:
    judgement = judged(SILENT, INFECTED, oversize=oversize, oversized=True)
    assert judgement.refusal == refusals.INFECTED


@pytest.mark.parametrize(
    ("missing", "virus", "spam", "released"),
    [
        ((VIRUS,), CLOSED, OPEN, False),
        ((VIRUS,), OPEN, CLOSED, True),
        ((SPAM,), CLOSED, OPEN, True),
        ((SPAM,), OPEN, CLOSED, False),
        ((VIRUS, SPAM), OPEN, OPEN, True),
        ((VIRUS, SPAM), OPEN, CLOSED, False),
        ((VIRUS, SPAM), CLOSED, OPEN, False),
        ((VIRUS, SPAM), CLOSED, CLOSED, False),
    ],
)
@pytest.mark.parametrize("kind", [VerdictKind.UNSCANNED, VerdictKind.SUSPECT, VerdictKind.CLEAN])
def test_each_class_that_is_away_has_a_stance_of_its_own(
    missing: tuple[EngineClass, ...],
    virus: Stance,
    spam: Stance,
    released: bool,
    kind: VerdictKind,
) -> None:
    judgement = judged(SILENT, verdict(kind, *missing), virus=virus, spam=spam)
    expected = Judgement(Disposition.DEFER, refusals.NOT_SCANNED, "stance")
    assert judgement == (RELEASED if released else expected)


@pytest.mark.parametrize(
    ("skipped", "released"),
    [(NOBODY, False), (frozenset({VIRUS}), False), (frozenset({SPAM}), False), (BOTH, True)],
)
def test_a_class_that_was_not_to_be_asked_is_not_missed(
    skipped: frozenset[EngineClass], released: bool
) -> None:
    judgement = judged(SILENT, UNSCANNED, virus=CLOSED, spam=CLOSED, skipped=skipped)
    assert (judgement == RELEASED) is released


@pytest.mark.parametrize(
    ("ruling", "said", "locked", "oversized", "oversize"),
    list(itertools.product(EVERY_RULING, EVERYTHING, [True, False], [True, False], Oversize)),
)
def test_a_refusal_is_there_exactly_when_the_message_is_not_released(
    ruling: Ruling, said: Verdict | None, locked: bool, oversized: bool, oversize: Oversize
) -> None:
    judgement = judged(ruling, said, locked=locked, oversized=oversized, oversize=oversize)
    assert (judgement.refusal is None) is (judgement.disposition is Disposition.RELEASE)
    if judgement.refusal is not None:
        kind = {4: Disposition.DEFER, 5: Disposition.REFUSE}[judgement.refusal.code // 100]
        assert judgement.disposition is kind
