"""The outcome port: what became of messages, what rules said, what servers refused, in batches,
to policy. Loss is bounded and counted.

What rules said is kept apart: it explains, but nothing is counted by it, so it never displaces
an outcome.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

import grpc.aio

from edge_proxy import metrics
from edge_proxy.clients.backoff import Backoff
from edge_proxy.clients.kept import Kept
from edge_proxy.ports import Report
from service_kit.failures import FailureKind, Unavailable, translated
from service_kit.logs import event
from smtpgated.policy.v1 import policy_pb2, policy_pb2_grpc
from smtpgated_contracts.marshalling.locks import asked_lock_to_wire, asked_penalty_to_wire
from smtpgated_contracts.marshalling.policy import outcome_to_wire
from smtpgated_contracts.marshalling.reported import (
    rejections_to_wire,
    ruling_to_wire,
    tunnelled_to_wire,
)
from smtpgated_contracts.values.mail import EdgeId
from smtpgated_contracts.values.policy import AskedLock, AskedPenalty, TransactionOutcome
from smtpgated_contracts.values.reported import Rejections, RulingReport, Tunnelled

KEPT: Final = 10_000
"""Outcomes kept while policy is away; the oldest are dropped first."""
KEPT_OCTETS: Final = 16 * 1024 * 1024
"""The same bound in octets of recipients, which a client can make long."""
KEPT_RULINGS: Final = 4_000
"""Reports of rulings, likewise, with a quarter of the octets."""
BATCH: Final = 256
BATCH_RECIPIENT_OCTETS: Final = 1_048_576
"""An envelope may name a thousand recipients: a batch of such is smaller, or it would be larger
than a message may be, refused for ever, and stand before all that come after it."""
GATHER_S: Final = 0.1
"""How long an outcome may wait for company. One that asks for a lock or points does not wait."""
DEADLINE_S: Final = 5.0

_LOG: Final = logging.getLogger(__name__)
_Outcome = TransactionOutcome | AskedLock | AskedPenalty | Rejections | Tunnelled


class OutcomeReport:
    def __init__(self, channel: grpc.aio.Channel, edge_id: EdgeId) -> None:
        self._stub = policy_pb2_grpc.PolicyServiceStub(channel)
        self._edge_id = edge_id
        self._outcomes: Kept[_Outcome] = Kept(KEPT, KEPT_OCTETS, _recipient_octets)
        self._rulings: Kept[RulingReport] = Kept(KEPT_RULINGS, KEPT_OCTETS // 4, _address_octets)
        self._dropped = 0
        self._wake = asyncio.Event()
        self._at_once = asyncio.Event()
        self._sending = asyncio.Lock()
        self._backoff = Backoff()

    def report(self, report: Report) -> None:
        if isinstance(report, RulingReport):
            metrics.RULINGS_DROPPED().inc(self._rulings.keep(report))
        else:
            self._drop(self._outcomes.keep(report))
        self._wake.set()
        if _is_urgent(report) or len(self._outcomes) >= BATCH or len(self._rulings) >= BATCH:
            self._at_once.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            try:
                async with asyncio.timeout(GATHER_S):
                    await self._at_once.wait()
            except TimeoutError:
                pass  # nobody is in a hurry
            if await self.flush():
                self._backoff.succeeded()
            else:
                await self._backoff.wait()

    async def flush(self) -> bool:
        """Send everything there is; False when policy did not take it (it is kept).

        A batch that is on its way already is waited for: at the end of a process the task that
        sends it would be cancelled otherwise, and the batch lost.
        """
        async with self._sending:
            self._wake.clear()
            self._at_once.clear()
            while len(self._outcomes) or len(self._rulings):
                outcomes = self._outcomes.take(BATCH, BATCH_RECIPIENT_OCTETS)
                rulings = self._rulings.take(BATCH, BATCH_RECIPIENT_OCTETS)
                if not await self._sent(outcomes, rulings):
                    self._wake.set()
                    return False
            return True

    async def _sent(self, outcomes: list[_Outcome], rulings: list[RulingReport]) -> bool:
        """Whether this batch needs no further care: policy took it, or never will."""
        dropped, self._dropped = self._dropped, 0
        wire = policy_pb2.OutcomeBatch(edge_id=self._edge_id, dropped=dropped)
        for each in outcomes:
            _ADD[type(each)](wire, each)
        wire.rulings.extend(map(ruling_to_wire, rulings))
        try:
            with translated("policy"):
                await self._stub.Report(wire, timeout=DEADLINE_S)
        except Unavailable as failure:
            event(_LOG, self._backoff.level, "outcomes not reported", reason=str(failure))
            self._dropped += dropped
            if failure.kind is FailureKind.REJECTED:
                self._drop(len(outcomes))
                metrics.RULINGS_DROPPED().inc(len(rulings))
                return True
            self._outcomes.put_back(outcomes)
            self._rulings.put_back(rulings)
            return False
        return True

    def _drop(self, count: int) -> None:
        self._dropped += count
        metrics.OUTCOMES_DROPPED().inc(count)


def _is_urgent(report: Report) -> bool:
    """Whether somebody is to be held back because of it."""
    match report:
        case AskedLock() | AskedPenalty():
            return True
        case TransactionOutcome():
            return bool(report.locks or report.penalties)
        case _:
            return False


def _recipient_octets(outcome: _Outcome) -> int:
    if isinstance(outcome, TransactionOutcome):
        return sum(map(len, outcome.envelope.recipients))
    return 0


def _address_octets(ruling: RulingReport) -> int:
    facts = ruling.facts
    envelope = facts.envelope
    return sum(map(len, (envelope.helo, envelope.reverse_path, facts.recipient)))


def _add_transaction(wire: policy_pb2.OutcomeBatch, outcome: TransactionOutcome) -> None:
    wire.transactions.append(outcome_to_wire(outcome))


def _add_lock(wire: policy_pb2.OutcomeBatch, asked: AskedLock) -> None:
    wire.asked_locks.append(asked_lock_to_wire(asked))


def _add_penalty(wire: policy_pb2.OutcomeBatch, asked: AskedPenalty) -> None:
    wire.asked_penalties.append(asked_penalty_to_wire(asked))


def _add_rejections(wire: policy_pb2.OutcomeBatch, told: Rejections) -> None:
    wire.rejections.append(rejections_to_wire(told))


def _add_tunnelled(wire: policy_pb2.OutcomeBatch, told: Tunnelled) -> None:
    wire.tunnelled.append(tunnelled_to_wire(told))


_ADD: Final[Mapping[type[_Outcome], Any]] = {
    TransactionOutcome: _add_transaction,
    AskedLock: _add_lock,
    AskedPenalty: _add_penalty,
    Rejections: _add_rejections,
    Tunnelled: _add_tunnelled,
}
