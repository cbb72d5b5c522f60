"""Streams of questions: each batch is one task, a bounded number of them a stream at once.

Reading goes on while a batch waits for the store, so one slow answer holds up nobody else; at
the bound the stream is not read, and gRPC's flow control tells the edge. A question whose answer
needs a fact that only the DNS knows leaves its batch: the others do not wait for it.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import grpc.aio

from policy.core.decide import MALFORMED
from policy.grpc_service.questions import question_from_wire
from policy.metrics import BATCH_S
from policy.replica.contacts import EdgeContacts
from policy.replica.decider import Decider, Question
from policy.replica.sender_facts import SenderFacts
from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.policy import answer_to_wire
from smtpgated_contracts.values.policy import Decision

MOST_BATCHES: Final = 8
"""Batches of one stream in work at the same time."""

MOST_QUESTIONS: Final = 4096
"""Answered of one batch; a longer one is no edge's of ours, and the rest of it is MALFORMED."""

_LEAST_PATIENCE_S: Final = 0.02
_MARGIN: Final = 0.8
_WRITE_S: Final = 10.0

Context = grpc.aio.ServicerContext[policy_pb2.QuestionBatch, policy_pb2.AnswerBatch]


class _NotRead(Exception):  # noqa: N818 - what the edge did
    """Answers were not taken for _WRITE_S."""


class Answering:
    """All streams of this replica. ``deadline_s``: the longest the store is waited for."""

    def __init__(
        self, decider: Decider, facts: SenderFacts, contacts: EdgeContacts, deadline_s: float
    ) -> None:
        self._decider = decider
        self._facts = facts
        self._contacts = contacts
        self._deadline_s = deadline_s
        self._reading: set[asyncio.Timeout] = set()
        self._draining = False

    async def serve(self, requests: Any, context: Context) -> None:
        """One stream, until the edge ends it or ``drain`` does; what was read is answered."""
        try:
            await self._serve(requests, context)
        except* _NotRead:
            pass  # the stream is cut: an edge that does not read its answers asks anew

    async def _serve(self, requests: Any, context: Context) -> None:
        stream = _Stream(context)
        async with stream.answers:
            # A timeout that only ``drain`` lets pass: it ends the reading and nothing else.
            with suppress(TimeoutError):
                async with asyncio.timeout(0 if self._draining else None) as reading:
                    self._reading.add(reading)
                    try:
                        async for batch in requests:
                            await stream.slots.acquire()
                            stream.answers.create_task(self._answer(batch, stream))
                    finally:
                        self._reading.discard(reading)

    def drain(self) -> None:
        """End every stream after what it has read."""
        self._draining = True
        for reading in self._reading:
            reading.reschedule(0)

    async def _answer(self, batch: policy_pb2.QuestionBatch, stream: "_Stream") -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            self._contacts.heard_of(batch.edge_id)
            asked = batch.questions[:MOST_QUESTIONS]
            questions = [question_from_wire(each) for each in asked]
            decisions = await self._decider.decide(questions, began_s + self._patience_s(batch))
            prompt = []
            for wire, question, decision in zip(asked, questions, decisions, strict=True):
                whole = self._facts.at_once(question, decision)
                if whole is None:
                    late = self._answer_late(wire, question, decision, began_s, stream)
                    stream.answers.create_task(late)
                else:
                    prompt.append(answer_to_wire(wire.id, whole))
            beyond = batch.questions[MOST_QUESTIONS:]
            prompt += [answer_to_wire(wire.id, MALFORMED) for wire in beyond]
            if prompt or not asked:
                await stream.write(prompt)
            BATCH_S().observe(loop.time() - began_s)
        finally:
            stream.slots.release()

    async def _answer_late(
        self,
        wire: policy_pb2.Question,
        question: Question,
        decision: Decision,
        asked_at: float,
        stream: "_Stream",
    ) -> None:
        decision = await self._facts.in_time(question, decision, asked_at, wire.patience_ms)
        await stream.write([answer_to_wire(wire.id, decision)])

    def _patience_s(self, batch: policy_pb2.QuestionBatch) -> float:
        """How long the store may take, so that the answer still finds the edge waiting."""
        said_ms = [each.patience_ms for each in batch.questions if each.patience_ms]
        if not said_ms:
            return self._deadline_s
        return min(self._deadline_s, max(_LEAST_PATIENCE_S, _MARGIN * min(said_ms) / 1000))


class _Stream:
    """One edge's stream while it is served."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._writing = asyncio.Lock()
        self.slots = asyncio.Semaphore(MOST_BATCHES)
        self.answers = asyncio.TaskGroup()

    async def write(self, answers: list[policy_pb2.Answer]) -> None:
        """Raises _NotRead."""
        try:
            async with asyncio.timeout(_WRITE_S), self._writing:
                await self._context.write(policy_pb2.AnswerBatch(answers=answers))
        except TimeoutError:
            raise _NotRead from None
