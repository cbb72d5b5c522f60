"""Points: how they decay, and the lock they amount to while they last.

Points halve every ``half_life_s``. Because nothing but new points can change that, it is known
at once when a subject will have fallen below the points of each stage: one lock carries the
whole way down, and releases itself without anybody being told.

Errors: none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2
from typing import Final

from rulebook.rates import Penalty as PenaltyRules
from smtpgated_contracts.values.policy import Lock, Stage, StageUntil

AUTHOR: Final = "penalty"
"""Who puts such a lock: it makes way for another of its kind."""
MOST_POINTS: Final = 1e9

_STRICTEST_FIRST: Final = tuple(reversed(Stage))


@dataclass(frozen=True, slots=True)
class Points:
    """What a subject has, and when that was true."""

    points: float
    at_ms: int

    def at(self, now_ms: int, half_life_ms: int) -> float:
        """What is left of them. A clock that was put back takes nothing away."""
        passed_ms = max(0, now_ms - self.at_ms)
        return float(self.points * 0.5 ** (passed_ms / half_life_ms))

    def added(self, more: float, now_ms: int, half_life_ms: int) -> "Points":
        left = self.at(now_ms, half_life_ms)
        return Points(min(MOST_POINTS, left + more), max(now_ms, self.at_ms))


def stage_of(points: float, rules: PenaltyRules) -> Stage | None:
    """The strictest stage that ``points`` reach."""
    return next(
        (
            stage
            for stage in _STRICTEST_FIRST
            if (least := rules.stages.get(stage)) is not None and points >= least
        ),
        None,
    )


def penalty_lock(
    subject: str, cause: str, points: float, rules: PenaltyRules, now_ms: int
) -> Lock | None:
    """What ``points`` amount to from ``now_ms`` on; None: to nothing."""
    stages = tuple(_way_down(points, rules, now_ms))
    if not stages:
        return None
    return Lock(
        subject,
        cause,
        stages[-1].until_ms,
        now_ms,
        AUTHOR,
        f"{points:.0f} points",
        stages,
    )


def _way_down(points: float, rules: PenaltyRules, now_ms: int) -> Iterator[StageUntil]:
    last_ms = now_ms
    for stage in _STRICTEST_FIRST:
        least = rules.stages.get(stage)
        if least is None or points < least:
            continue
        until_ms = now_ms + int(rules.half_life_s * 1000 * log2(points / least)) + 1
        if until_ms > last_ms:
            yield StageUntil(stage, until_ms)
            last_ms = until_ms


def stricter(one: Lock, other: Lock, now_ms: int) -> Lock:
    """One lock that at each moment does what the stricter of both would.

    It is known by the cause, author and reason of the one that refuses longer, ``one`` if equal.
    """
    moments = sorted({*_moments(one, now_ms), *_moments(other, now_ms)})
    stages: list[StageUntil] = []
    began_ms = now_ms
    for until_ms in [*moments, 0]:
        both = (one.stage_at(began_ms), other.stage_at(began_ms))
        strictest = max((each for each in both if each), key=_RANK.__getitem__, default=None)
        if strictest is None:
            break
        if stages and stages[-1].stage is strictest:
            stages.pop()
        stages.append(StageUntil(strictest, until_ms))
        began_ms = until_ms
    leading = one if _refuses_until(one, now_ms) >= _refuses_until(other, now_ms) else other
    if not stages:
        return leading
    plain = len(stages) == 1 and stages[0].stage is Stage.REFUSE
    return Lock(
        leading.subject,
        leading.cause,
        stages[-1].until_ms,
        leading.created_at_ms,
        leading.author,
        leading.reason,
        () if plain else tuple(stages),
    )


_RANK: Final = {stage: rank for rank, stage in enumerate(Stage)}
_FOR_EVER: Final = 1 << 62


def _moments(lock: Lock, now_ms: int) -> Iterator[int]:
    """When it changes, from ``now_ms`` on."""
    ends = (lock.expires_at_ms, *(stage.until_ms for stage in lock.stages))
    return (each for each in ends if each > now_ms)


def _refuses_until(lock: Lock, now_ms: int) -> int:
    """0: it does not refuse."""
    if lock.stage_at(now_ms) is not Stage.REFUSE:
        return 0
    ends = [each.until_ms for each in lock.stages if each.stage is Stage.REFUSE]
    return (ends[-1] if ends else lock.expires_at_ms) or _FOR_EVER
