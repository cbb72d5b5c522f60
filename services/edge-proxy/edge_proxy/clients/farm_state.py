"""What policy pushes, as the edge last heard it: rulebook, locks and exemptions.

They stay in force while policy is away. ``FarmState`` is the memory, ``RulebookWatch`` the
stream that fills it: a snapshot first, then changes; after a break a snapshot again.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import grpc.aio

from edge_proxy import metrics
from edge_proxy.clients.backoff import Backoff
from edge_proxy.clients.parsed import parsed
from edge_proxy.lock_list import LockList
from edge_proxy.ports import Hold
from rulebook.document import parse
from rulebook.errors import RulebookError
from rulebook.values import Rulebook
from service_kit.clock import Clock
from service_kit.failures import Unavailable, translated
from service_kit.health import Readiness
from service_kit.logs import event
from smtpgated.policy.v1 import policy_pb2, policy_pb2_grpc
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.locks import lock_from_wire
from smtpgated_contracts.values.mail import EdgeId, SessionRef
from smtpgated_contracts.values.policy import Lock

_LOG: Final = logging.getLogger(__name__)


class FarmState:
    """``changed`` is called with the subjects whose lock or exemption came or went."""

    def __init__(self, clock: Clock, changed: Callable[[Iterable[str]], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._locks = LockList()
        self.rulebook: Rulebook | None = None
        self.rulebook_version = 0

    def hold_on(self, session: SessionRef, auth_user: bytes = b"") -> Hold | None:
        hold = self._locks.hold_on(session, self._clock.unix_ms(), auth_user)
        return None if hold is None or self._in_exempt_network(session) else hold

    def is_exempt(self, session: SessionRef) -> bool:
        """Whether no lock and no limit per source or identity touches this session."""
        return self._in_exempt_network(session) or self._locks.exempts(session)

    def may_be_exempt(self, session: SessionRef) -> bool:
        return self._locks.may_exempt(session)

    @property
    def locks(self) -> int:
        """How many there are."""
        return len(self._locks)

    def replace_locks(self, locks: LockList) -> None:
        before, self._locks = self._locks, locks
        metrics.LOCKS().set(len(locks))
        self._changed(locks.differing_from(before))

    def change_locks(
        self,
        put: Iterable[Lock],
        removed: Iterable[str],
        exempted: Iterable[str] = (),
        unexempted: Iterable[str] = (),
    ) -> None:
        """All of it before anybody is told: no session is cut in between."""
        changed = {subject for subject in removed if self._locks.remove(subject)}
        for lock in put:
            self._locks.put(lock)
            changed.add(lock.subject)
        for subject in unexempted:
            self._locks.unexempt(subject)
            changed.add(subject)
        for subject in exempted:
            self._locks.exempt(subject)
            changed.add(subject)
        metrics.LOCKS().set(len(self._locks))
        self._changed(changed)

    def replace_rulebook(self, version: int, rulebook: Rulebook) -> None:
        exempt = self.rulebook.exempt if self.rulebook else None
        self.rulebook, self.rulebook_version = rulebook, version
        metrics.RULEBOOK_VERSION().set(version)
        event(_LOG, logging.INFO, "rulebook in force", version=version)
        if rulebook.exempt != exempt:
            self._changed(
                {subject for subject, is_exempt in self._locks.subjects() if not is_exempt}
            )

    def _in_exempt_network(self, session: SessionRef) -> bool:
        return self.rulebook is not None and self.rulebook.exempt.covers(session.source.address)


class RulebookWatch:
    """Keeps a FarmState in step with policy, for ever."""

    def __init__(
        self, channel: grpc.aio.Channel, edge_id: EdgeId, state: FarmState, readiness: Readiness
    ) -> None:
        self._stub = policy_pb2_grpc.PolicyServiceStub(channel)
        self._edge_id = edge_id
        self._state = state
        self._readiness = readiness
        self._snapshot = LockList()

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
        self._snapshot = LockList()
        try:
            async for update in call:
                backoff.succeeded()
                metrics.POLICY_CONNECTED().set(1)
                try:
                    await self._take(parsed(update))
                except (MalformedMessage, RulebookError) as wrong:
                    # What is in force stays in force; policy validated this with the same code.
                    event(_LOG, logging.ERROR, "update from policy not taken", reason=str(wrong))
        finally:
            call.cancel()

    async def _take(self, update: policy_pb2.WatchUpdate) -> None:
        match update.WhichOneof("update"):
            case "rulebook":
                self._snapshot = LockList()  # one begins with it
                revision = update.rulebook
                # beside the loop: a large one takes a second, and mail goes on meanwhile
                rulebook = await asyncio.to_thread(parse, revision.document)
                self._state.replace_rulebook(revision.version, rulebook)
                self._readiness.set("rulebook", ready=True)
            case "lock_snapshot":
                part = update.lock_snapshot
                # Message by message: mail goes on between them.
                self._snapshot.extend(_locks(part.locks), part.exempt)
                if not part.more:
                    whole, self._snapshot = self._snapshot, LockList()
                    self._state.replace_locks(whole)
            case "lock_changes":
                changes = update.lock_changes
                self._state.change_locks(
                    _locks(changes.put), changes.removed, changes.exempted, changes.unexempted
                )


def _locks(wire: Iterable[policy_pb2.Lock]) -> Iterator[Lock]:
    """Those that are whole: one that names nobody must not take the others along."""
    for each in wire:
        try:
            yield lock_from_wire(each)
        except MalformedMessage as wrong:
            event(_LOG, logging.ERROR, "lock from policy not taken", reason=str(wrong))
