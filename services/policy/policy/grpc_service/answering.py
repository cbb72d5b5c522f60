"""Streams of questions: each batch is one task, a bounded number of them a stream at once.

Reading goes on while a batch waits for the store, so one slow answer holds up nobody else; at
the bound the stream is not read, and gRPC's flow control tells the edge.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import grpc.aio

from policy.core.decide import MALFORMED
from policy.grpc_service.questions import question_from_wire
from policy.metrics import BATCH_S
from policy.replica.contacts import EdgeContacts
from policy.replica.decider import Decider
from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.policy import answer_to_wire

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

    def __init__(self, decider: Decider, contacts: EdgeContacts, deadline_s: float) -> None:
        self._decider = decider
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
        slots = asyncio.Semaphore(MOST_BATCHES)
        writing = asyncio.Lock()
        async with asyncio.TaskGroup() as batches:
            # A timeout that only ``drain`` lets pass: it ends the reading and nothing else.
            with suppress(TimeoutError):
                async with asyncio.timeout(0 if self._draining else None) as reading:
                    self._reading.add(reading)
                    try:
                        async for batch in requests:
                            await slots.acquire()
                            batches.create_task(self._answer(batch, context, slots, writing))
                    finally:
                        self._reading.discard(reading)

    def drain(self) -> None:
        """End every stream after what it has read."""
        self._draining = True
        for reading in self._reading:
            reading.reschedule(0)

    async def _answer(
        self,
        batch: policy_pb2.QuestionBatch,
        context: Context,
        slots: asyncio.Semaphore,
        writing: asyncio.Lock,
    ) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            self._contacts.heard_of(batch.edge_id)
            answers = await self._answers(batch, began_s)
            try:
                async with asyncio.timeout(_WRITE_S), writing:
                    await context.write(answers)
            except TimeoutError:
                raise _NotRead from None
            BATCH_S().observe(loop.time() - began_s)
        finally:
            slots.release()

    async def _answers(
        self, batch: policy_pb2.QuestionBatch, began_s: float
    ) -> policy_pb2.AnswerBatch:
        asked = batch.questions[:MOST_QUESTIONS]
        questions = [question_from_wire(each) for each in asked]
        decisions = await self._decider.decide(questions, began_s + self._patience_s(batch))
        decisions += [MALFORMED] * (len(batch.questions) - len(asked))
        return policy_pb2.AnswerBatch(
            answers=[
                answer_to_wire(question.id, decision)
                for question, decision in zip(batch.questions, decisions, strict=True)
            ]
        )

    def _patience_s(self, batch: policy_pb2.QuestionBatch) -> float:
        """How long the store may take, so that the answer still finds the edge waiting."""
        said_ms = [each.patience_ms for each in batch.questions if each.patience_ms]
        if not said_ms:
            return self._deadline_s
        return min(self._deadline_s, max(_LEAST_PATIENCE_S, _MARGIN * min(said_ms) / 1000))
