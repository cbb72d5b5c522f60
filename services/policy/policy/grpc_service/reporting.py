"""Outcomes from edges: counted, kept for people, and the locks they ask for put.

Loss is tolerated and counted: a report is answered even while the store is away.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from policy.core.farm import Farm
from policy.core.journal import OutcomeEntry, entry_of, totals_of
from policy.core.locks import dated
from policy.core.subjects import SubjectError, parse_subject
from policy.grpc_service.questions import sound_session
from policy.metrics import (
    LOCKS_ASKED,
    OUTCOME_OCTETS,
    OUTCOMES,
    OUTCOMES_DROPPED,
    OUTCOMES_MALFORMED,
    OUTCOMES_UNKEPT,
    Judged,
    LockFate,
)
from policy.ports import Journal
from policy.replica.keeper import FarmKeeper
from policy.replica.presence import StorePresence
from service_kit.clock import Clock
from service_kit.failures import Unavailable
from service_kit.logs import event
from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.locks import asked_lock_from_wire
from smtpgated_contracts.marshalling.policy import outcome_from_wire
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import AskedLock, Lock, TransactionOutcome

_JUDGED: Final = {each.value: each for each in Judged} | {None: Judged.NONE}
_LOG: Final = logging.getLogger(__name__)


class Reporting:
    """Takes batches of outcomes."""

    def __init__(
        self,
        farm: Farm,
        keeper: FarmKeeper,
        journal: Journal,
        presence: StorePresence,
        clock: Clock,
    ) -> None:
        self._farm = farm
        self._keeper = keeper
        self._journal = journal
        self._presence = presence
        self._clock = clock

    async def take(self, batch: policy_pb2.OutcomeBatch) -> None:
        OUTCOMES_DROPPED().inc(batch.dropped)
        outcomes = list(_sound(batch))
        for outcome in outcomes:
            _count(outcome)
        # Locks first: they matter to the next session, the journal to a person.
        wanted = [lock for outcome in outcomes for lock in self._wanted_by(outcome)]
        for asked in _sound_locks(batch):
            wanted += self._wanted(asked.session, asked.lock, _reason(asked.session))
        await self._lock(wanted)
        await self._keep([entry_of(outcome) for outcome in outcomes])

    async def _lock(self, wanted: Sequence[Lock]) -> None:
        if not wanted:
            return
        for lock, was_put in zip(wanted, await self._keeper.lengthen(wanted), strict=True):
            LOCKS_ASKED(self._fate(was_put=was_put)).inc()
            if was_put:
                event(
                    _LOG,
                    logging.INFO,
                    "locked",
                    subject=lock.subject,
                    cause=lock.cause,
                    expires_at_ms=lock.expires_at_ms,
                    author=lock.author,
                )

    def _wanted_by(self, outcome: TransactionOutcome) -> Iterator[Lock]:
        for lock in outcome.locks:
            found = ", ".join(outcome.verdict.names[:3]) if outcome.verdict else ""
            yield from self._wanted(outcome.session, lock, _reason(outcome.session, found))

    def _wanted(self, session: SessionRef, lock: Lock, reason: str) -> Iterator[Lock]:
        """The lock with our time in it, if it may be put."""
        try:
            subject = str(parse_subject(lock.subject))
        except SubjectError:
            LOCKS_ASKED(LockFate.MALFORMED).inc()
            return
        exempt = self._farm.exemptions
        if exempt.cover_subject(subject) or exempt.cover_source(
            session.source.address, session.identity
        ):
            LOCKS_ASKED(LockFate.EXEMPT).inc()
            return
        yield replace(
            dated(lock, self._clock.unix_ms()),
            subject=subject,
            author=lock.author or f"edge {session.edge_id}",
            reason=lock.reason or reason,
        )

    def _fate(self, *, was_put: bool) -> LockFate:
        if not was_put:
            return LockFate.LONGER_ONE_THERE
        return LockFate.PUT_HERE_ALONE if self._presence.away else LockFate.PUT

    async def _keep(self, entries: Sequence[OutcomeEntry]) -> None:
        if not entries:
            return
        if not self._presence.away:
            try:
                await self._journal.record(entries, totals_of(entries))
            except Unavailable as error:
                self._presence.lost(error)
            else:
                return
        OUTCOMES_UNKEPT().inc(len(entries))


def _sound(batch: policy_pb2.OutcomeBatch) -> Iterator[TransactionOutcome]:
    for wire in batch.transactions:
        try:
            outcome = outcome_from_wire(wire)
            yield replace(outcome, session=sound_session(outcome.session))
        except (MalformedMessage, SubjectError) as error:
            OUTCOMES_MALFORMED().inc()
            event(_LOG, logging.WARNING, "outcome malformed", edge=batch.edge_id, why=str(error))


def _sound_locks(batch: policy_pb2.OutcomeBatch) -> Iterator[AskedLock]:
    for wire in batch.asked_locks:
        try:
            asked = asked_lock_from_wire(wire)
            yield replace(asked, session=sound_session(asked.session))
        except (MalformedMessage, SubjectError) as error:
            LOCKS_ASKED(LockFate.MALFORMED).inc()
            event(_LOG, logging.WARNING, "lock malformed", edge=batch.edge_id, why=str(error))


def _count(outcome: TransactionOutcome) -> None:
    judged = _JUDGED[outcome.verdict.kind if outcome.verdict else None]
    OUTCOMES(judged, outcome.disposition).inc()
    OUTCOME_OCTETS().inc(outcome.content_octets)


def _reason(session: SessionRef, found: str = "") -> str:
    return f"session {session.session_id}" + (f": {found}" if found else "")
