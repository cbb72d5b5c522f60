"""Statements of engines become findings; findings and missing classes become one verdict.

    INFECTED   somebody found a virus
    SUSPECT    else: somebody found spam at or above the threshold, or something doubtful
    UNSCANNED  else: some class is missing
    CLEAN      else

A class is missing when *any* of its engines failed and none of that class found something
bad: two virus engines are there because each sees what the other does not, so one clean
answer does not stand for the other's silence. Missing classes stay in the verdict whatever
the others found: a spam verdict does not say that there is no virus.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from smtpgated_contracts.values.scan import EngineClass, Finding, Missing, Verdict, VerdictKind


@dataclass(frozen=True, slots=True)
class Statement:
    """What one engine says about one class. Who says it, and how fast, the panel adds.

    ``score``: for spam engines, in SpamAssassin's arithmetic (finite; more is worse); the
    farm's own threshold decides what it means. For virus engines ``kind`` is what counts.
    """

    engine_class: EngineClass
    kind: VerdictKind = VerdictKind.CLEAN
    name: str = ""
    score: float = 0.0


def kind_of(statement: Statement, suspect_at: float) -> VerdictKind:
    """Spam is a matter of the threshold, unless the engine is sure without one."""
    if statement.kind is VerdictKind.CLEAN and statement.engine_class is EngineClass.SPAM:
        return VerdictKind.SUSPECT if statement.score >= suspect_at else VerdictKind.CLEAN
    return statement.kind


_WORST_FIRST: Final = (VerdictKind.INFECTED, VerdictKind.SUSPECT)


def judge(findings: Sequence[Finding], missing: Iterable[Missing], spent_ms: int) -> Verdict:
    """The verdict. ``missing``: one for each engine and class that failed, in any order."""
    bad = {each.engine_class for each in findings if each.kind is not VerdictKind.CLEAN}
    unjudged = _one_a_class(each for each in missing if each.engine_class not in bad)
    found = {each.kind for each in findings}
    worst = next((kind for kind in _WORST_FIRST if kind in found), None)
    kind = worst or (VerdictKind.UNSCANNED if unjudged else VerdictKind.CLEAN)
    return Verdict(kind, tuple(findings), unjudged, spent_ms)


def _one_a_class(missing: Iterable[Missing]) -> tuple[Missing, ...]:
    reasons: dict[EngineClass, list[str]] = {}
    for each in missing:
        reasons.setdefault(each.engine_class, []).append(each.reason)
    return tuple(Missing(each, "; ".join(reasons[each])) for each in EngineClass if each in reasons)
