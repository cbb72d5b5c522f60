"""A replica as edges and operators see it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import grpc.aio
import httpx

from policy.app import PolicyApp
from service_kit.grpc_channels import open_channel
from smtpgated.policy.v1 import policy_pb2, policy_pb2_grpc
from smtpgated_contracts.marshalling.locks import asked_lock_to_wire, lock_from_wire
from smtpgated_contracts.marshalling.mail import session_to_wire
from smtpgated_contracts.marshalling.policy import (
    decision_from_wire,
    outcome_to_wire,
    progress_to_wire,
)
from smtpgated_contracts.values.policy import (
    AskedLock,
    Decision,
    Lock,
    SessionProgress,
    TransactionOutcome,
)
from tests.contract.policy.samples import session

TOKEN = "a-token-for-the-tests-only-0123456789"


class Replica:
    """``app`` is started by the fixture; stop twice is stop once."""

    def __init__(self, app: PolicyApp) -> None:
        self.app = app
        self._stopped = False

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.app.grpc_port}"

    def http(self, token: str | None = TOKEN) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        base = f"http://127.0.0.1:{self.app.admin_port}"
        return httpx.AsyncClient(base_url=base, headers=headers, timeout=20)

    @asynccontextmanager
    async def edge(self) -> AsyncIterator["Edge"]:
        channel = open_channel(self.target, None)
        try:
            yield Edge(policy_pb2_grpc.PolicyServiceStub(channel))
        finally:
            await channel.close()

    async def stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            await self.app.stop(grace_s=5)


class Edge:
    """What an edge does with the contract."""

    def __init__(self, stub: "policy_pb2_grpc.PolicyServiceAsyncStub") -> None:
        self.stub = stub

    def questions(self) -> "QuestionStream":
        return QuestionStream(self.stub.Decide())

    def watch(self) -> "Watching":
        return Watching(self.stub.Watch(policy_pb2.WatchRequest(edge_id="edge-1")))

    async def report(self, *outcomes: TransactionOutcome, dropped: int = 0) -> None:
        await self.stub.Report(
            policy_pb2.OutcomeBatch(
                edge_id="edge-1", transactions=map(outcome_to_wire, outcomes), dropped=dropped
            ),
            timeout=20,
        )

    async def ask_locks(self, *asked: AskedLock) -> None:
        batch = policy_pb2.OutcomeBatch(
            edge_id="edge-1", asked_locks=map(asked_lock_to_wire, asked)
        )
        await self.stub.Report(batch, timeout=20)


class QuestionStream:
    """``decision_ids``: what the journal calls the decisions of the last batch, in their order."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.decision_ids: list[str] = []
        self._ids = itertools.count(1)

    async def ask(self, *questions: policy_pb2.Question, patience_ms: int = 5000) -> list[Decision]:
        """One batch; the decisions in the order of the questions, without their ids."""
        for question in questions:
            question.id = next(self._ids)
            question.patience_ms = patience_ms
        await self.call.write(policy_pb2.QuestionBatch(edge_id="edge-1", questions=questions))
        found: dict[int, Decision] = {}
        while len(found) < len(questions):
            answers = await self.call.read()
            assert answers is not grpc.aio.EOF
            found |= {each.question_id: decision_from_wire(each) for each in answers.answers}
        answered = [found[question.id] for question in questions]
        self.decision_ids = [each.decision_id for each in answered]
        return [replace(each, decision_id="") for each in answered]

    async def open(self, *names: str, source: str = "192.0.2.1") -> list[Decision]:
        return await self.ask(*(opening(name, source) for name in names))

    async def renew(self, *sessions: SessionProgress) -> list[Decision]:
        wire = policy_pb2.RenewSessions(sessions=map(progress_to_wire, sessions))
        return await self.ask(policy_pb2.Question(renew_sessions=wire))

    async def close(self, *names: str) -> list[Decision]:
        wire = policy_pb2.CloseSessions(session_ids=names)
        return await self.ask(policy_pb2.Question(close_sessions=wire))


def opening(name: str, source: str = "192.0.2.1", identity: str = "") -> policy_pb2.Question:
    wire = session_to_wire(session(name, source, identity))
    return policy_pb2.Question(open_session=policy_pb2.OpenSession(session=wire))


@dataclass
class Watching:
    """What a watching edge knows, kept up by ``until``."""

    call: Any
    locks: dict[str, Lock] = field(default_factory=dict)
    exempt: set[str] = field(default_factory=set)
    rulebook: policy_pb2.RulebookRevision | None = None
    whole: bool = False
    updates: int = 0

    async def snapshot(self) -> None:
        await self.until(lambda: self.whole)

    async def until(self, is_so: Any) -> None:
        async with asyncio.timeout(20):
            while not is_so():
                update = await self.call.read()
                assert update is not grpc.aio.EOF, await self.call.details()
                self._take(update)

    def _take(self, update: policy_pb2.WatchUpdate) -> None:
        self.updates += 1
        match update.WhichOneof("update"):
            case "rulebook":
                self.rulebook = update.rulebook
            case "lock_snapshot":
                if self.whole:
                    self.locks.clear()
                    self.exempt.clear()
                self._put(update.lock_snapshot.locks)
                self.exempt.update(update.lock_snapshot.exempt)
                self.whole = not update.lock_snapshot.more
            case "lock_changes":
                assert self.whole, "changes come after the snapshot"
                self._put(update.lock_changes.put)
                for subject in update.lock_changes.removed:
                    self.locks.pop(subject, None)
                self.exempt -= set(update.lock_changes.unexempted)
                self.exempt |= set(update.lock_changes.exempted)

    def _put(self, locks: Iterable[policy_pb2.Lock]) -> None:
        for wire in locks:
            lock = lock_from_wire(wire)
            self.locks[lock.subject] = lock
