"""Locks and points that rules and limits ask for: exemptions first, then put for the whole farm.

Locks only ever lengthen what is there. Points are added where all replicas add them, and what they
amount to is merged with the lock that is there, so that the stricter of both holds at each moment;
a lock that points have put makes way for a newer one. While the store is away points count here
alone, and so do the locks until it is back.

Errors: none leave; what cannot be kept is counted.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from policy.core.farm import Farm
from policy.core.locks import dated
from policy.core.penalties import AUTHOR, Points, penalty_lock, stricter
from policy.core.subjects import SubjectError, parse_subject
from policy.metrics import LOCKS_ASKED, PENALTIES, LockFate
from policy.ports import PenaltyStore
from policy.replica.keeper import FarmKeeper
from policy.replica.presence import StorePresence
from rulebook.bearers import borne_by
from rulebook.rates import Rate
from service_kit.clock import Clock
from service_kit.failures import Unavailable
from service_kit.logs import event
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import Lock, Penalty

_LOG: Final = logging.getLogger(__name__)
MOST_ASKED: Final = 10_000
"""Subjects whose sanctions by limits wait; those beyond are left out, and counted."""
MOST_ALONE: Final = 10_000
"""Subjects whose points are remembered here while the store is away."""


class Sanctions:
    """``run`` applies what limits asked for; reports apply theirs at once."""

    def __init__(
        self,
        farm: Farm,
        keeper: FarmKeeper,
        store: PenaltyStore,
        presence: StorePresence,
        clock: Clock,
    ) -> None:
        self._farm = farm
        self._keeper = keeper
        self._store = store
        self._presence = presence
        self._clock = clock
        self._asked: dict[tuple[str, str], tuple[SessionRef, Rate]] = {}
        self._wake = asyncio.Event()
        self._alone: dict[str, Points] = {}

    def exceeded(self, rate: Rate, session: SessionRef, auth_user: bytes) -> None:
        """A limit said no. However often it does before ``run`` comes round, it costs once."""
        if not (rate.lock_s or rate.points):
            return
        subject = borne_by(rate.on, session, auth_user)
        if not subject:
            return
        if len(self._asked) >= MOST_ASKED:
            LOCKS_ASKED(LockFate.TOO_MANY).inc()
            return
        self._asked[subject, rate.id] = session, rate
        self._wake.set()

    async def run(self) -> None:
        """For ever; the owner cancels."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            asked, self._asked = self._asked, {}
            now_ms = self._clock.unix_ms()
            for (subject, cause), (session, rate) in asked.items():
                if rate.lock_s:
                    until_ms = now_ms + rate.lock_s * 1000
                    reason = f"session {session.session_id}"
                    lock = Lock(subject, cause, until_ms, now_ms, "limit", reason)
                    await self._keeper.lengthen(list(self.wanted(session, lock, reason)))
                if rate.points:
                    await self.punish(session, [Penalty(subject, rate.points, cause)])

    def wanted(self, session: SessionRef, lock: Lock, reason: str) -> Iterator[Lock]:
        """The lock with our time in it, if it may be put."""
        subject = self._bearable(session, lock.subject)
        if subject:
            yield replace(
                dated(lock, self._clock.unix_ms()),
                subject=subject,
                author=lock.author or f"edge {session.edge_id}",
                reason=lock.reason or reason,
            )

    async def punish(self, session: SessionRef, penalties: Sequence[Penalty]) -> None:
        """Add points, and put the lock that they amount to."""
        rules = self._farm.rulebook.penalty
        for penalty in penalties:
            subject = self._bearable(session, penalty.subject)
            if not subject or not rules.stages:
                continue
            PENALTIES().inc()
            points = await self._points(subject, penalty.points, rules.half_life_s * 1000)
            now_ms = self._clock.unix_ms()
            event(
                _LOG,
                logging.INFO,
                "penalty",
                subject=subject,
                cause=penalty.cause,
                added=penalty.points,
                points=round(points, 1),
            )
            lock = penalty_lock(subject, penalty.cause, points, rules, now_ms)
            if lock is not None:
                await self._put(lock, now_ms)

    async def _points(self, subject: str, more: float, half_life_ms: int) -> float:
        if not self._presence.away:
            try:
                return await self._store.add_points(subject, more, half_life_ms)
            except Unavailable as error:
                self._presence.lost(error)
        now_ms = self._clock.unix_ms()
        points = self._alone.pop(subject, Points(0.0, now_ms)).added(more, now_ms, half_life_ms)
        self._alone[subject] = points
        while len(self._alone) > MOST_ALONE:
            del self._alone[next(iter(self._alone))]
        return points.points

    async def _put(self, lock: Lock, now_ms: int) -> None:
        present = self._farm.locks.get(lock.subject)
        if present is not None and present.author != AUTHOR and present.holds_at(now_ms):
            merged = stricter(present, lock, now_ms)
            if merged.stages == present.stages and merged.expires_at_ms == present.expires_at_ms:
                return  # what is there is at least as strict all the time
            lock = merged
        await self._keeper.put(lock)

    def _bearable(self, session: SessionRef, text: str) -> str:
        """The subject in its one spelling; empty when it can bear nothing."""
        try:
            subject = str(parse_subject(text))
        except SubjectError:
            LOCKS_ASKED(LockFate.MALFORMED).inc()
            return ""
        exempt = self._farm.exemptions
        if exempt.cover_subject(subject) or exempt.cover_source(
            session.source.address, session.identity
        ):
            LOCKS_ASKED(LockFate.EXEMPT).inc()
            return ""
        return subject
