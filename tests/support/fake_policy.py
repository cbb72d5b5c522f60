"""A policy service that pushes and answers as it is told, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from rulebook.defaults import DEFAULT_DOCUMENT
from service_kit.tls import TlsSettings
from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.asked import (
    data_asked_from_wire,
    mail_asked_from_wire,
    session_asked_from_wire,
)
from smtpgated_contracts.marshalling.locks import (
    asked_lock_from_wire,
    asked_penalty_from_wire,
    lock_to_wire,
)
from smtpgated_contracts.marshalling.policy import (
    answer_to_wire,
    outcome_from_wire,
    progress_from_wire,
)
from smtpgated_contracts.marshalling.reported import rejections_from_wire, ruling_from_wire
from smtpgated_contracts.values.asked import DataAsked, MailAsked
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import (
    ADMITTED,
    AskedLock,
    AskedPenalty,
    Decision,
    DecisionKind,
    Lock,
    SessionProgress,
    TransactionOutcome,
)
from smtpgated_contracts.values.reported import Rejections, RulingReport
from tests.support.fake_service import FakeService, octets_of

_Context = grpc.aio.ServicerContext[Any, Any]
Decide = Callable[[SessionRef], Decision | bytes | None]
"""None: never answered; bytes: sent as they are in place of a batch of answers."""
DecideMessage = Callable[[MailAsked | DataAsked], Decision | None]
"""None: never answered."""


def admit(_session: SessionRef) -> Decision:
    return ADMITTED


def silent(_session: SessionRef) -> None:
    return None


def refuse(_session: SessionRef) -> Decision:
    return Decision(DecisionKind.REFUSE, "limit:fake")


def defer(_session: SessionRef) -> Decision:
    return Decision(DecisionKind.DEFER, "limit:fake")


class FakePolicy(FakeService):
    """Everything it knows may be changed while it runs."""

    name = "smtpgated.policy.v1.PolicyService"

    def __init__(
        self, rulebook: str | None = DEFAULT_DOCUMENT, tls: TlsSettings | None = None
    ) -> None:
        """``rulebook`` None: Watch says nothing until one is put."""
        super().__init__(tls)
        self.rulebook = rulebook
        self.version = 1
        self.locks: dict[str, Lock] = {}
        self.exempt: set[str] = set()
        self.decide: Decide = admit
        self.decide_message: DecideMessage = lambda _asked: ADMITTED
        self.report_fails: grpc.StatusCode | None = None
        self.report_held = False
        self.batches: list[tuple[str, ...]] = []
        self.opened: list[SessionRef] = []
        self.closed: list[str] = []
        self.renewed: list[SessionProgress] = []
        self.outcomes: list[TransactionOutcome] = []
        self.asked: list[MailAsked | DataAsked] = []
        self.profiles: list[tuple[str, ...]] = []
        self.asked_locks: list[AskedLock] = []
        self.asked_penalties: list[AskedPenalty] = []
        self.rejections: list[Rejections] = []
        self.rulings: list[RulingReport] = []
        self.outcome_batches: list[int] = []
        self.dropped = 0
        self.reports_begun = 0
        self._watchers: set[asyncio.Queue[Message | bytes]] = set()
        self._released = asyncio.Event()
        self.reading = asyncio.Event()
        self.reading.set()
        """Cleared: questions are not read."""

    # What a test does

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    def put_rulebook(self, text: str) -> None:
        self.version += 1
        self.rulebook = text
        self.push(self._revision(text))

    def put_locks(self, *locks: Lock) -> None:
        self.locks.update({lock.subject: lock for lock in locks})
        changes = policy_pb2.LockChanges(put=map(lock_to_wire, locks))
        self.push(policy_pb2.WatchUpdate(lock_changes=changes))

    def remove_locks(self, *subjects: str) -> None:
        for subject in subjects:
            self.locks.pop(subject, None)
        changes = policy_pb2.LockChanges(removed=subjects)
        self.push(policy_pb2.WatchUpdate(lock_changes=changes))

    def put_exemptions(self, *subjects: str) -> None:
        self.exempt.update(subjects)
        changes = policy_pb2.LockChanges(exempted=subjects)
        self.push(policy_pb2.WatchUpdate(lock_changes=changes))

    def push(self, update: Message | bytes) -> None:
        """To every edge that watches now; octets need not be a message at all."""
        for queue in self._watchers:
            queue.put_nowait(update)

    def release(self) -> None:
        """End the reports that are held."""
        self.report_held = False
        self._released.set()
        self._released = asyncio.Event()

    def of_kind(self, kind: str) -> int:
        """How many questions of one kind have come."""
        return sum(batch.count(kind) for batch in self.batches)

    # The service

    def methods(self) -> Mapping[str, "grpc.RpcMethodHandler[Any, Any]"]:
        return {
            "Watch": grpc.unary_stream_rpc_method_handler(
                self._watch, policy_pb2.WatchRequest.FromString, octets_of
            ),
            "Decide": grpc.stream_stream_rpc_method_handler(
                self._decide, policy_pb2.QuestionBatch.FromString, octets_of
            ),
            "Report": grpc.unary_unary_rpc_method_handler(
                self._report, policy_pb2.OutcomeBatch.FromString, octets_of
            ),
        }

    async def _watch(
        self, _request: policy_pb2.WatchRequest, _context: _Context
    ) -> AsyncIterator[Message | bytes]:
        queue: asyncio.Queue[Message | bytes] = asyncio.Queue()
        if self.rulebook is not None:
            queue.put_nowait(self._revision(self.rulebook))
        queue.put_nowait(self._snapshot())
        self._watchers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._watchers.discard(queue)

    async def _decide(
        self, batches: AsyncIterator[policy_pb2.QuestionBatch], _context: _Context
    ) -> AsyncIterator[Message | bytes]:
        await self.reading.wait()
        async for batch in batches:
            self.batches.append(tuple(str(each.WhichOneof("about")) for each in batch.questions))
            answers = []
            for question in batch.questions:
                decision = self._take(question)
                if isinstance(decision, bytes):
                    yield decision
                elif decision is not None:
                    answers.append(answer_to_wire(question.id, decision))
            if answers:
                yield policy_pb2.AnswerBatch(answers=answers)
            await self.reading.wait()

    def _take(self, question: policy_pb2.Question) -> Decision | bytes | None:
        match question.WhichOneof("about"):
            case "open_session":
                opening = session_asked_from_wire(question.open_session)
                self.opened.append(opening.session)
                self.profiles.append(opening.profiles)
                return self.decide(opening.session)
            case "ask_mail":
                return self._decide_message(mail_asked_from_wire(question.ask_mail))
            case "ask_data":
                return self._decide_message(data_asked_from_wire(question.ask_data))
            case "close_sessions":
                self.closed.extend(question.close_sessions.session_ids)
            case "renew_sessions":
                self.renewed.extend(map(progress_from_wire, question.renew_sessions.sessions))
        return None

    def _decide_message(self, asked: MailAsked | DataAsked) -> Decision | None:
        self.asked.append(asked)
        return self.decide_message(asked)

    async def _report(self, batch: policy_pb2.OutcomeBatch, context: _Context) -> Message:
        self.reports_begun += 1
        if self.report_held:
            await self._released.wait()
        if self.report_fails is not None:
            await context.abort(self.report_fails, "as planned")
        self.outcome_batches.append(len(batch.transactions))
        self.outcomes.extend(map(outcome_from_wire, batch.transactions))
        self.asked_locks.extend(map(asked_lock_from_wire, batch.asked_locks))
        self.asked_penalties.extend(map(asked_penalty_from_wire, batch.asked_penalties))
        self.rejections.extend(map(rejections_from_wire, batch.rejections))
        self.rulings.extend(map(ruling_from_wire, batch.rulings))
        self.dropped += batch.dropped
        return policy_pb2.ReportReceipt()

    def _revision(self, text: str) -> policy_pb2.WatchUpdate:
        return policy_pb2.WatchUpdate(
            rulebook=policy_pb2.RulebookRevision(version=self.version, document=text)
        )

    def _snapshot(self) -> policy_pb2.WatchUpdate:
        locks = map(lock_to_wire, self.locks.values())
        return policy_pb2.WatchUpdate(
            lock_snapshot=policy_pb2.LockSnapshot(locks=locks, exempt=self.exempt)
        )
