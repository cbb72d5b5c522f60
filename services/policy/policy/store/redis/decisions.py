"""Decisions in Redis: a bounded stream, and counts of what is in shadow, a day each."""

from collections.abc import Mapping, Sequence

from policy.core.decisions import KeptDecision, Shadowed, decided_at_ms
from policy.ports import PlacedDecision
from policy.store.records import DECISIONS
from policy.store.redis.keys import (
    MOST_SHADOWED,
    MOST_SHADOWING,
    SHADOWS_KEPT_MS,
    Keys,
)
from policy.store.redis.link import Command, RedisLink, call
from policy.store.redis.script_files import COUNT_SHADOW

_LOOKED_THROUGH_AT_ONCE = 500
_AROUND_MS = ((2_000, 15_000), (300_000, 300_000))
"""Where a decision is looked for, before and after its moment: soon, or by clocks that differ."""


class RedisDecisions:
    """The DecisionJournal."""

    def __init__(self, link: RedisLink, keys: Keys) -> None:
        self._link = link
        self._keys = keys

    async def keep_decisions(
        self, decisions: Sequence[KeptDecision], shadows: Mapping[Shadowed, int], most: int
    ) -> None:
        keep = (self._keys.decisions, "MAXLEN", "~", most, "*")
        commands: list[Command] = [
            ("XADD", *keep, "id", each.decision_id, "entry", DECISIONS.to_text(each))
            for each in decisions
        ]
        for which, times in shadows.items():
            keys = [self._keys.shadows(which.day), self._keys.shadowed(which.day, which.rule)]
            limits = (MOST_SHADOWING, MOST_SHADOWED, SHADOWS_KEPT_MS)
            commands.append(call(COUNT_SHADOW, keys, which.rule, which.subject, times, *limits))
        if commands:
            await self._link.run(*commands)

    async def decision(self, decision_id: str) -> KeptDecision | None:
        try:
            at_ms = decided_at_ms(decision_id)
        except ValueError:
            return None
        for before_ms, after_ms in _AROUND_MS:
            first, last = str(max(0, at_ms - before_ms)), at_ms + after_ms
            while True:
                (found,) = await self._link.run(
                    ("XRANGE", self._keys.decisions, first, last, "COUNT", _LOOKED_THROUGH_AT_ONCE)
                )
                for _, fields in found:
                    if fields["id"] == decision_id:
                        return DECISIONS.from_text(fields["entry"])
                if len(found) < _LOOKED_THROUGH_AT_ONCE:
                    break
                first = f"({found[-1][0]}"
        return None

    async def decisions(self, before: str, limit: int) -> tuple[PlacedDecision, ...]:
        (found,) = await self._link.run(
            (
                "XREVRANGE",
                self._keys.decisions,
                f"({before}" if before else "+",
                "-",
                "COUNT",
                limit,
            )
        )
        return tuple(
            PlacedDecision(place, DECISIONS.from_text(fields["entry"])) for place, fields in found
        )

    async def shadow_totals(self, day: str) -> Mapping[str, int]:
        return await self._counts(self._keys.shadows(day))

    async def shadow_subjects(self, day: str, rule: str) -> Mapping[str, int]:
        return await self._counts(self._keys.shadowed(day, rule))

    async def _counts(self, key: str) -> Mapping[str, int]:
        (found,) = await self._link.run(("HGETALL", key))
        return {name: int(times) for name, times in found.items()}
