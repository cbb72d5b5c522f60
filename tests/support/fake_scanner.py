"""A scanner that judges by a word in the content, or by plan, and remembers what it was shown."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf.message import Message

from service_kit.tls import TlsSettings
from smtpgated.scan.v1 import scan_pb2
from smtpgated_contracts.marshalling.mail import envelope_from_wire
from smtpgated_contracts.marshalling.scan import verdict_to_wire
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.scan import EngineClass, Finding, Verdict, VerdictKind, unscanned
from tests.support.fake_service import FakeService, octets_of

INFECTED_WORD: Final = b"[infected]"
SUSPECT_WORD: Final = b"[suspect]"
UNSCANNED_WORD: Final = b"[unscanned]"

CLEAN: Final = Verdict(VerdictKind.CLEAN)
INFECTED: Final = Verdict(
    VerdictKind.INFECTED,
    (Finding("fake", EngineClass.VIRUS, VerdictKind.INFECTED, "Test.Virus"),),
)
SUSPECT: Final = Verdict(
    VerdictKind.SUSPECT,
    (Finding("fake", EngineClass.SPAM, VerdictKind.SUSPECT, "TEST_SPAM", 9.5),),
)
UNSCANNED: Final = unscanned("fake: out of order")
_BY_WORD: Final = {INFECTED_WORD: INFECTED, SUSPECT_WORD: SUSPECT, UNSCANNED_WORD: UNSCANNED}

_Context = grpc.aio.ServicerContext[Any, Any]
_Answer = Verdict | grpc.StatusCode | bytes


@dataclass(frozen=True, slots=True)
class Step:
    """What one scan meets, in this order: read, wait, answer.

    ``after_octets``: read a stream only so far (None: to its end). ``hold``: wait for
    ``release`` then. ``answer``: a verdict, a gRPC error, or octets that are no message; None
    means go on reading and judge by content.
    """

    after_octets: int | None = None
    hold: bool = False
    answer: _Answer | None = None


ORDINARY: Final = Step()


@dataclass(slots=True)
class SeenScan:
    """One call. ``parts`` are the sizes of its content messages; ``end`` is how it ended."""

    streamed: bool
    opening: scan_pb2.ScanOpening = field(default_factory=scan_pb2.ScanOpening)
    content: bytes = b""
    parts: list[int] = field(default_factory=list)
    envelope: Envelope | None = None
    head_only: bool = False
    end: str = ""


class FakeScanner(FakeService):
    """``plan`` holds the steps of the next scans; without one a scan is ORDINARY."""

    name = "smtpgated.scan.v1.ScanService"

    def __init__(self, tls: TlsSettings | None = None) -> None:
        super().__init__(tls)
        self.plan: deque[Step] = deque()
        self.always = ORDINARY
        self.scans: list[SeenScan] = []
        self.holding = 0
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let go of every scan that is held now."""
        self._released.set()
        self._released = asyncio.Event()

    def methods(self) -> Mapping[str, "grpc.RpcMethodHandler[Any, Any]"]:
        return {
            "Scan": grpc.unary_unary_rpc_method_handler(
                self._scan, scan_pb2.ScanRequest.FromString, octets_of
            ),
            "ScanStream": grpc.stream_unary_rpc_method_handler(
                self._scan_stream, scan_pb2.ScanPart.FromString, octets_of
            ),
        }

    async def _scan(self, request: scan_pb2.ScanRequest, context: _Context) -> Message | bytes:
        seen = SeenScan(streamed=False, opening=request.opening, content=request.content)
        seen.envelope, seen.head_only = envelope_from_wire(request.envelope), request.head_only
        return await self._judged(seen, self._next(), context, None)

    async def _scan_stream(
        self, parts: AsyncIterator[scan_pb2.ScanPart], context: _Context
    ) -> Message | bytes:
        seen, step = SeenScan(streamed=True), self._next()
        return await self._judged(seen, step, context, parts)

    def _next(self) -> Step:
        return self.plan.popleft() if self.plan else self.always

    async def _judged(
        self,
        seen: SeenScan,
        step: Step,
        context: _Context,
        parts: AsyncIterator[scan_pb2.ScanPart] | None,
    ) -> Message | bytes:
        self.scans.append(seen)
        seen.end = "cancelled"
        if parts is not None:
            await _read(seen, parts, step.after_octets)
        if step.hold:
            await self._hold()
        if isinstance(step.answer, grpc.StatusCode):
            seen.end = "failed"
            await context.abort(step.answer, "as planned")
        if step.answer is None and parts is not None:
            await _read(seen, parts, None)
        seen.end = "answered"
        if isinstance(step.answer, bytes):
            return step.answer
        return verdict_to_wire(step.answer or by_content(seen.content))

    async def _hold(self) -> None:
        self.holding += 1
        try:
            await self._released.wait()
        finally:
            self.holding -= 1


def by_content(content: bytes) -> Verdict:
    """The verdict of the first word that is found."""
    return next((verdict for word, verdict in _BY_WORD.items() if word in content), CLEAN)


async def _read(
    seen: SeenScan, parts: AsyncIterator[scan_pb2.ScanPart], enough_octets: int | None
) -> None:
    slices = [seen.content]
    size = len(seen.content)
    while enough_octets is None or size < enough_octets:
        part = await anext(parts, None)
        if part is None:
            break
        if part.HasField("opening"):
            seen.opening = part.opening
        elif part.HasField("closing"):
            seen.envelope = envelope_from_wire(part.closing.envelope)
            seen.head_only = part.closing.head_only
        else:
            slices.append(part.content)
            seen.parts.append(len(part.content))
            size += len(part.content)
    seen.content = b"".join(slices)
