"""What policy pushes, as the edge last heard it: the rulebook and the lock list.

Both stay in force while policy is away. ``FarmState`` is the memory, ``RulebookWatch`` the
stream that fills it: a snapshot first, then changes; after a break a snapshot again.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import grpc.aio

from edge_proxy import metrics
from edge_proxy.clients.backoff import Backoff
from edge_proxy.clients.parsed import parsed
from edge_proxy.lock_list import LockList
from rulebook.document import parse
from rulebook.errors import RulebookError
from rulebook.values import Rulebook
from service_kit.clock import Clock
from service_kit.failures import Unavailable, translated
from service_kit.health import Readiness
from service_kit.logs import event
from smtpgated.policy.v1 import policy_pb2, policy_pb2_grpc
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.policy import lock_from_wire
from smtpgated_contracts.values.mail import EdgeId, SessionRef
from smtpgated_contracts.values.policy import Lock

_LOG: Final = logging.getLogger(__name__)


class FarmState:
    """``changed`` is called with the subjects whose lock came or went."""

    def __init__(self, clock: Clock, changed: Callable[[Iterable[str]], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._locks = LockList()
        self.rulebook: Rulebook | None = None
        self.rulebook_version = 0

    def lock_on(self, session: SessionRef) -> Lock | None:
        return self._locks.lock_on(session, self._clock.unix_ms())

    def replace_locks(self, locks: Iterable[Lock]) -> None:
        before, self._locks = self._locks, LockList(locks)
        metrics.LOCKS().set(len(self._locks))
        self._changed(set(before) ^ set(self._locks))

    def change_locks(self, put: Iterable[Lock], removed: Iterable[str]) -> None:
        changed = [subject for subject in removed if self._locks.remove(subject)]
        for lock in put:
            self._locks.put(lock)
            changed.append(lock.subject)
        metrics.LOCKS().set(len(self._locks))
        self._changed(changed)

    def replace_rulebook(self, version: int, rulebook: Rulebook) -> None:
        self.rulebook, self.rulebook_version = rulebook, version
        metrics.RULEBOOK_VERSION().set(version)
        event(_LOG, logging.INFO, "rulebook in force", version=version)


class RulebookWatch:
    """Keeps a FarmState in step with policy, for ever."""

    def __init__(
        self, channel: grpc.aio.Channel, edge_id: EdgeId, state: FarmState, readiness: Readiness
    ) -> None:
        self._stub = policy_pb2_grpc.PolicyServiceStub(channel)
        self._edge_id = edge_id
        self._state = state
        self._readiness = readiness
        self._snapshot: list[Lock] = []

    async def run(self) -> None:
        backoff = Backoff()
        while True:
            try:
                with translated("policy"):
                    await self._one_stream(backoff)
                event(_LOG, logging.INFO, "policy watch ended")
            except Unavailable as failure:
                event(_LOG, backoff.level, "policy watch ended", reason=str(failure))
            finally:
                metrics.POLICY_CONNECTED().set(0)
            await backoff.wait()

    async def _one_stream(self, backoff: Backoff) -> None:
        call = self._stub.Watch(policy_pb2.WatchRequest(edge_id=self._edge_id))
        self._snapshot = []
        try:
            async for update in call:
                backoff.succeeded()
                metrics.POLICY_CONNECTED().set(1)
                try:
                    self._take(parsed(update))
                except (MalformedMessage, RulebookError) as wrong:
                    # What is in force stays in force; policy validated this with the same code.
                    event(_LOG, logging.ERROR, "update from policy not taken", reason=str(wrong))
        finally:
            call.cancel()

    def _take(self, update: policy_pb2.WatchUpdate) -> None:
        match update.WhichOneof("update"):
            case "rulebook":
                revision = update.rulebook
                self._state.replace_rulebook(revision.version, parse(revision.document))
                self._readiness.set("rulebook", ready=True)
            case "lock_snapshot":
                self._snapshot.extend(_locks(update.lock_snapshot.locks))
                if not update.lock_snapshot.more:
                    self._state.replace_locks(self._snapshot)
                    self._snapshot = []
            case "lock_changes":
                changes = update.lock_changes
                self._state.change_locks(_locks(changes.put), changes.removed)


def _locks(wire: Iterable[policy_pb2.Lock]) -> Iterator[Lock]:
    """Those that are whole: one that names nobody must not take the others along."""
    for each in wire:
        try:
            yield lock_from_wire(each)
        except MalformedMessage as wrong:
            event(_LOG, logging.ERROR, "lock from policy not taken", reason=str(wrong))
