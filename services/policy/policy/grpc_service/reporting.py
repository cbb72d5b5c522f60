"""Outcomes from edges: counted, kept for people, and the locks and points they ask for put.

What only an end tells, octets and what servers refused, is charged to the limits; what a message
had spent that the farm itself deferred is given back. Loss is tolerated and counted: a report is
answered even while the store is away.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from policy.core.farm import Farm
from policy.core.journal import OutcomeEntry, entry_of, totals_of
from policy.core.local_limiter import LocalLimiter
from policy.core.rates import Spend, given_back
from policy.core.spending import (
    Occasion,
    ended_occasion,
    purchase,
    refunded_occasion,
    rejected_occasion,
)
from policy.core.subjects import SubjectError
from policy.grpc_service.metering import Metering
from policy.grpc_service.questions import sound_session
from policy.metrics import (
    CHARGES_UNKEPT,
    LOCKS_ASKED,
    OUTCOME_OCTETS,
    OUTCOMES,
    OUTCOMES_DROPPED,
    OUTCOMES_MALFORMED,
    OUTCOMES_UNKEPT,
    Judged,
    LockFate,
)
from policy.ports import Journal, LeaseStore
from policy.replica.decision_log import DecisionLog
from policy.replica.keeper import FarmKeeper
from policy.replica.presence import StorePresence
from policy.replica.sanctions import Sanctions
from service_kit.clock import Clock
from service_kit.failures import Unavailable
from service_kit.logs import event
from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.locks import asked_lock_from_wire, asked_penalty_from_wire
from smtpgated_contracts.marshalling.policy import outcome_from_wire
from smtpgated_contracts.marshalling.reported import (
    rejections_from_wire,
    ruling_from_wire,
    tunnelled_from_wire,
)
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import (
    AskedLock,
    AskedPenalty,
    Disposition,
    Lock,
    TransactionOutcome,
)
from smtpgated_contracts.values.reported import Rejections, RulingReport, Tunnelled

_JUDGED: Final = {each.value: each for each in Judged} | {None: Judged.NONE}
_LOG: Final = logging.getLogger(__name__)


class Reporting:
    """Takes batches of outcomes."""

    def __init__(
        self,
        farm: Farm,
        keeper: FarmKeeper,
        journal: Journal,
        leases: LeaseStore,
        limiter: LocalLimiter,
        sanctions: Sanctions,
        presence: StorePresence,
        clock: Clock,
        deadline_s: float,
        decisions: DecisionLog,
        metering: Metering,
    ) -> None:
        self._farm = farm
        self._keeper = keeper
        self._journal = journal
        self._leases = leases
        self._limiter = limiter
        self._sanctions = sanctions
        self._presence = presence
        self._clock = clock
        self._deadline_s = deadline_s
        self._decisions = decisions
        self._metering = metering

    async def take(self, batch: policy_pb2.OutcomeBatch) -> None:
        OUTCOMES_DROPPED().inc(batch.dropped)
        outcomes = list(_sound(batch))
        for outcome in outcomes:
            _count(outcome)
        # Locks first: they matter to the next session, the journal to a person.
        wanted = [lock for outcome in outcomes for lock in self._wanted_by(outcome)]
        for asked in _sound_locks(batch):
            wanted += self._sanctions.wanted(asked.session, asked.lock, _reason(asked.session))
        await self._lock(wanted)
        for outcome in outcomes:
            await self._sanctions.punish(outcome.session, outcome.penalties)
        for penalty in _sound_penalties(batch):
            await self._sanctions.punish(penalty.session, [penalty.penalty])
        await self._charge([*self._charges(outcomes), *self._rejected(batch)])
        await self._metering.take(_sound_tunnelled(batch))
        for told in _sound_rulings(batch):
            self._decisions.ruled(told)
        await self._keep([entry_of(outcome) for outcome in outcomes])

    def _charges(self, outcomes: Sequence[TransactionOutcome]) -> Iterator[Spend]:
        for outcome in outcomes:
            exempt = self._is_exempt(outcome.session)
            if outcome.content_octets:
                yield from self._spend(ended_occasion(outcome, exempt=exempt))
            if outcome.spent and outcome.disposition is Disposition.DEFER:
                refund = purchase(self._farm.rulebook, refunded_occasion(outcome, exempt=exempt))
                if refund is not None:
                    yield given_back(refund.spend.counts)

    def _rejected(self, batch: policy_pb2.OutcomeBatch) -> Iterator[Spend]:
        for told in _sound_rejections(batch):
            exempt = self._is_exempt(told.session)
            yield from self._spend(rejected_occasion(told, exempt=exempt))

    def _spend(self, occasion: Occasion) -> Iterator[Spend]:
        bought = purchase(self._farm.rulebook, occasion)
        if bought is not None:
            yield bought.spend.charged()

    async def _charge(self, spends: Sequence[Spend]) -> None:
        """It has happened: while the store is away it is owed."""
        if not spends:
            return
        if not self._presence.away:
            deadline = asyncio.get_running_loop().time() + self._deadline_s
            try:
                await self._leases.settle(spends, deadline)
            except Unavailable as error:
                self._presence.lost(error)
            else:
                return
        CHARGES_UNKEPT().inc(len(spends))
        now_ms = round(self._clock.monotonic_s() * 1000)
        for spend in spends:
            self._limiter.settle(spend, now_ms)

    def _is_exempt(self, session: SessionRef) -> bool:
        return self._farm.exemptions.cover_source(session.source.address, session.identity)

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
            reason = _reason(outcome.session, found)
            yield from self._sanctions.wanted(outcome.session, lock, reason)

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


def _sound_penalties(batch: policy_pb2.OutcomeBatch) -> Iterator[AskedPenalty]:
    for wire in batch.asked_penalties:
        try:
            asked = asked_penalty_from_wire(wire)
            yield replace(asked, session=sound_session(asked.session))
        except (MalformedMessage, SubjectError) as error:
            LOCKS_ASKED(LockFate.MALFORMED).inc()
            event(_LOG, logging.WARNING, "penalty malformed", edge=batch.edge_id, why=str(error))


def _sound_tunnelled(batch: policy_pb2.OutcomeBatch) -> Iterator[Tunnelled]:
    for wire in batch.tunnelled:
        try:
            told = tunnelled_from_wire(wire)
            yield replace(told, session=sound_session(told.session))
        except (MalformedMessage, SubjectError) as error:
            OUTCOMES_MALFORMED().inc()
            event(_LOG, logging.WARNING, "tunnelled malformed", edge=batch.edge_id, why=str(error))


def _sound_rulings(batch: policy_pb2.OutcomeBatch) -> Iterator[RulingReport]:
    for wire in batch.rulings:
        try:
            told = ruling_from_wire(wire)
            yield replace(told, session=sound_session(told.session))
        except (MalformedMessage, SubjectError) as error:
            OUTCOMES_MALFORMED().inc()
            event(_LOG, logging.WARNING, "ruling malformed", edge=batch.edge_id, why=str(error))


def _sound_rejections(batch: policy_pb2.OutcomeBatch) -> Iterator[Rejections]:
    for wire in batch.rejections:
        try:
            told = rejections_from_wire(wire)
            yield replace(told, session=sound_session(told.session))
        except (MalformedMessage, SubjectError) as error:
            OUTCOMES_MALFORMED().inc()
            event(_LOG, logging.WARNING, "rejections malformed", edge=batch.edge_id, why=str(error))


def _count(outcome: TransactionOutcome) -> None:
    judged = _JUDGED[outcome.verdict.kind if outcome.verdict else None]
    OUTCOMES(judged, outcome.disposition).inc()
    OUTCOME_OCTETS().inc(outcome.content_octets)


def _reason(session: SessionRef, found: str = "") -> str:
    return f"session {session.session_id}" + (f": {found}" if found else "")
