"""Decisions in memory, as Redis keeps them."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence

from policy.core.decisions import KeptDecision, Shadowed
from policy.ports import PlacedDecision
from policy.store.redis.keys import MOST_SHADOWED, MOST_SHADOWING


class MemoryDecisions:
    """The DecisionJournal; a part of the MemoryStore, whose ``_now`` says whether it is there."""

    def _begin_decisions(self) -> None:
        self._placed: deque[PlacedDecision] = deque()
        self._places = 0
        self._totals_of_day: dict[str, Counter[str]] = {}
        self._shadowed: dict[tuple[str, str], Counter[str]] = {}

    def _now(self) -> int:
        raise NotImplementedError

    async def keep_decisions(
        self, decisions: Sequence[KeptDecision], shadows: Mapping[Shadowed, int], most: int
    ) -> None:
        self._now()
        for each in decisions:
            self._places += 1
            self._placed.append(PlacedDecision(f"{self._places}-0", each))
        while len(self._placed) > most:
            self._placed.popleft()
        for which, times in shadows.items():
            totals = self._totals_of_day.setdefault(which.day, Counter())
            if _count(totals, which.rule, times, MOST_SHADOWING):
                subjects = self._shadowed.setdefault((which.day, which.rule), Counter())
                _count(subjects, which.subject, times, MOST_SHADOWED)

    async def decision(self, decision_id: str) -> KeptDecision | None:
        self._now()
        found = (each.decision for each in self._placed)
        return next((each for each in found if each.decision_id == decision_id), None)

    async def decisions(self, before: str, limit: int) -> tuple[PlacedDecision, ...]:
        self._now()
        first = int(before.partition("-")[0]) if before else self._places + 1
        found = (each for each in reversed(self._placed) if int(each.place[:-2]) < first)
        return tuple(each for each, _ in zip(found, range(limit), strict=False))

    async def shadow_totals(self, day: str) -> Mapping[str, int]:
        self._now()
        return dict(self._totals_of_day.get(day, {}))

    async def shadow_subjects(self, day: str, rule: str) -> Mapping[str, int]:
        self._now()
        return dict(self._shadowed.get((day, rule), {}))


def _count(counts: Counter[str], name: str, times: int, most: int) -> str:
    kept = name if name in counts or len(counts) < most else ""
    counts[kept] += times
    return kept
