"""The outcome port: what became of messages, in batches, to policy. Loss is bounded and counted."""

import asyncio
import logging
from collections import deque
from typing import Final

import grpc.aio

from edge_proxy import metrics
from edge_proxy.clients.backoff import Backoff
from service_kit.failures import FailureKind, Unavailable, translated
from service_kit.logs import event
from smtpgated.policy.v1 import policy_pb2, policy_pb2_grpc
from smtpgated_contracts.marshalling.locks import asked_lock_to_wire
from smtpgated_contracts.marshalling.policy import outcome_to_wire
from smtpgated_contracts.values.mail import EdgeId
from smtpgated_contracts.values.policy import AskedLock, TransactionOutcome

KEPT: Final = 10_000
"""Outcomes kept while policy is away; the oldest are dropped first."""
KEPT_OCTETS: Final = 16 * 1024 * 1024
"""The same bound in octets of recipients, which a client can make long."""
BATCH: Final = 256
BATCH_RECIPIENT_OCTETS: Final = 1_048_576
"""An envelope may name a thousand recipients: a batch of such is smaller, or it would be larger
than a message may be, refused for ever, and stand before all that come after it."""
GATHER_S: Final = 0.1
"""How long an outcome may wait for company. An outcome that asks for a lock does not wait."""
DEADLINE_S: Final = 5.0

_LOG: Final = logging.getLogger(__name__)
_Outcome = TransactionOutcome | AskedLock


def _weight(outcome: _Outcome) -> int:
    """Octets of what strangers can make long."""
    if isinstance(outcome, AskedLock):
        return 0
    return sum(map(len, outcome.envelope.recipients))


class OutcomeReport:
    def __init__(self, channel: grpc.aio.Channel, edge_id: EdgeId) -> None:
        self._stub = policy_pb2_grpc.PolicyServiceStub(channel)
        self._edge_id = edge_id
        self._kept: deque[_Outcome] = deque()
        self._kept_octets = 0
        self._dropped = 0
        self._wake = asyncio.Event()
        self._at_once = asyncio.Event()
        self._sending = asyncio.Lock()
        self._backoff = Backoff()

    def report(self, outcome: _Outcome) -> None:
        self._kept.append(outcome)
        self._kept_octets += _weight(outcome)
        while len(self._kept) > KEPT or self._kept_octets > KEPT_OCTETS:
            self._taken()
            self._drop(1)
        self._wake.set()
        if isinstance(outcome, AskedLock) or outcome.locks or len(self._kept) >= BATCH:
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
            while self._kept:
                if not await self._sent(self._gathered()):
                    self._wake.set()
                    return False
            return True

    def _gathered(self) -> list[_Outcome]:
        batch: list[_Outcome] = []
        octets = 0
        while self._kept and len(batch) < BATCH and octets < BATCH_RECIPIENT_OCTETS:
            batch.append(self._taken())
            octets += _weight(batch[-1])
        return batch

    def _taken(self) -> _Outcome:
        oldest = self._kept.popleft()
        self._kept_octets -= _weight(oldest)
        return oldest

    async def _sent(self, batch: list[_Outcome]) -> bool:
        """Whether this batch needs no further care: policy took it, or never will."""
        dropped, self._dropped = self._dropped, 0
        wire = policy_pb2.OutcomeBatch(
            edge_id=self._edge_id,
            transactions=[
                outcome_to_wire(each) for each in batch if isinstance(each, TransactionOutcome)
            ],
            asked_locks=[asked_lock_to_wire(each) for each in batch if isinstance(each, AskedLock)],
            dropped=dropped,
        )
        try:
            with translated("policy"):
                await self._stub.Report(wire, timeout=DEADLINE_S)
        except Unavailable as failure:
            event(_LOG, self._backoff.level, "outcomes not reported", reason=str(failure))
            self._dropped += dropped
            if failure.kind is FailureKind.REJECTED:
                self._drop(len(batch))
                return True
            self._kept.extendleft(reversed(batch))
            self._kept_octets += sum(map(_weight, batch))
            return False
        return True

    def _drop(self, count: int) -> None:
        self._dropped += count
        metrics.OUTCOMES_DROPPED().inc(count)
