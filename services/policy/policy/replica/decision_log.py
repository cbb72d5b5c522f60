"""Every decision on its way into the journal: named at once, written down soon, in batches.

Deciding never waits for it. What waits is bounded: when it gets much, plain admissions are left
out first; they are counted. While the store is away the rest waits for it.
"""

import asyncio
from collections import deque
from dataclasses import replace
from itertools import count
from typing import Final

from policy.core.decisions import (
    Asked,
    KeptDecision,
    decision_id,
    kept_answer,
    kept_ruling,
    shadows_in,
)
from policy.core.farm import Farm
from policy.metrics import DECISIONS_UNKEPT
from policy.ports import DecisionJournal
from policy.replica.presence import StorePresence
from service_kit.clock import Clock
from service_kit.failures import Unavailable
from smtpgated_contracts.values.policy import Decision, DecisionKind
from smtpgated_contracts.values.reported import RulingReport

MOST_WAITING: Final = 20_000
"""Decisions that are not written down yet; some 1 KiB each."""

_MANY_WAITING: Final = MOST_WAITING // 2
_WRITE_EVERY_S: Final = 0.25
_AT_ONCE: Final = 50
"""Written in one round trip: less than a millisecond of the loop."""


class DecisionLog:
    """``replica``: hexadecimal, of this process alone. ``admitted``: plain admissions are kept,
    too. ``most``: how many decisions the store is to keep."""

    def __init__(
        self,
        farm: Farm,
        journal: DecisionJournal,
        presence: StorePresence,
        clock: Clock,
        replica: str,
        *,
        admitted: bool,
        most: int,
    ) -> None:
        self._farm = farm
        self._journal = journal
        self._presence = presence
        self._clock = clock
        self._replica = replica
        self._admitted = admitted
        self._most = most
        self._numbers = count(1)
        self._waiting: deque[KeptDecision] = deque()

    def answered(self, asked: Asked, decision: Decision, why: tuple[str, ...]) -> Decision:
        """Policy's own; returned with the id that the edge's log is to say, if it admits not."""
        admits = decision.kind is DecisionKind.ADMIT
        plain = admits and not decision.shadows
        if plain and not self._admitted:
            return decision
        if plain and len(self._waiting) >= _MANY_WAITING:
            DECISIONS_UNKEPT().inc()
            return decision
        now_ms = self._clock.unix_ms()
        name = self._name(now_ms)
        stored = self._farm.stored
        version = stored.version if stored else 0
        self._take(kept_answer(name, now_ms, asked, decision, why, version))
        return decision if admits else replace(decision, decision_id=name)

    def ruled(self, told: RulingReport) -> None:
        """What rules said at an edge."""
        now_ms = self._clock.unix_ms()
        kept = kept_ruling(self._name(now_ms), now_ms, told)
        if kept is not None:
            self._take(kept)

    async def run(self) -> None:
        """Writes down what waits. For ever; a cancellation writes the rest, if it can."""
        try:
            while True:
                await asyncio.sleep(_WRITE_EVERY_S)
                await self._write()
        finally:
            await self._write()

    async def _write(self) -> None:
        while self._waiting and not self._presence.away:
            batch = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            try:
                await self._journal.keep_decisions(batch, shadows_in(batch), self._most)
            except Unavailable as error:
                # Maybe some of it was written: nothing is worth being counted twice.
                DECISIONS_UNKEPT().inc(len(batch))
                self._presence.lost(error)

    def _take(self, kept: KeptDecision) -> None:
        if len(self._waiting) >= MOST_WAITING:
            DECISIONS_UNKEPT().inc()
            return
        self._waiting.append(kept)

    def _name(self, now_ms: int) -> str:
        return decision_id(now_ms, self._replica, next(self._numbers))
