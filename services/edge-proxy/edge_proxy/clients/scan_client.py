"""The scan port over gRPC: one call for small content, a stream beyond the inline limit.

Measured: a streaming call costs half as much again as a unary one, so content is gathered up to
``inline_octets`` first. A scan that finds a replica away or overloaded is tried again, on another
replica (round robin), under the same absolute deadline. A stream can be as long as no more than
``KEPT_OCTETS`` of it were written: that is kept, and an overloaded replica says so before it
reads. Whatever fails is a verdict, ``unscanned``, with the reason for the log.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import grpc
import grpc.aio

from edge_proxy import metrics
from edge_proxy.clients.parsed import parsed
from edge_proxy.metrics import ScanEnd
from edge_proxy.ports import ScanFeed
from service_kit.failures import Unavailable, translated
from service_kit.tasks import Tasks
from smtpgated.scan.v1 import scan_pb2, scan_pb2_grpc
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.mail import envelope_to_wire
from smtpgated_contracts.marshalling.scan import opening_to_wire, verdict_from_wire
from smtpgated_contracts.values.mail import Envelope, SessionRef
from smtpgated_contracts.values.scan import EngineClass, Verdict, unscanned

PART_OCTETS: Final = 65_536
"""Least octets in one message of a stream: smaller ones cost calls, not bandwidth."""
LARGEST_PART_OCTETS: Final = 1_048_576
"""Most octets in one message of a stream, by contract (``scan.proto``)."""
BACKLOG_OCTETS: Final = 524_288
"""Content waiting for a slow scanner before the client is no longer read."""
KEPT_OCTETS: Final = 524_288
"""Of a stream, to begin it anew elsewhere; what is longer is kept no more."""
ATTEMPTS: Final = 3
PAUSE_S: Final = 0.05


class ScanClient:
    """``scans`` holds the running scans; whoever closes it ends them."""

    def __init__(
        self, channel: grpc.aio.Channel, tasks: Tasks, *, inline_octets: int, deadline_s: float
    ) -> None:
        self._stub = scan_pb2_grpc.ScanServiceStub(channel)
        self._tasks = tasks
        self._inline_octets = inline_octets
        self._deadline_s = deadline_s

    def begin(
        self,
        session: SessionRef,
        transaction: int,
        skip: frozenset[EngineClass],
        profile: str,
        verdict: Callable[[Verdict], None],
        room: Callable[[], None],
    ) -> ScanFeed:
        opening = opening_to_wire(session, transaction, skip, profile)
        return _Feed(self, opening, verdict, room)

    # What a feed does with it

    @property
    def inline_octets(self) -> int:
        return self._inline_octets

    def spawn(self, feed: "_Feed") -> asyncio.Task[None]:
        return self._tasks.spawn(feed.run(), name="scan")

    async def scan(self, request: scan_pb2.ScanRequest, deadline: float) -> Verdict:
        """``deadline``: a moment of the loop's clock, for all attempts together."""
        for attempt in range(1, ATTEMPTS + 1):
            left_s = deadline - asyncio.get_running_loop().time()
            try:
                with translated("scanner"):
                    answer = await self._stub.Scan(request, timeout=left_s)
                    return verdict_from_wire(parsed(answer))
            except Unavailable as failure:
                if not failure.retryable or attempt == ATTEMPTS:
                    raise
                await pause_before_another(attempt)
        raise AssertionError("the last attempt returns or raises")

    def open_stream(self) -> "grpc.aio.StreamUnaryCall[scan_pb2.ScanPart, scan_pb2.Verdict]":
        return self._stub.ScanStream()

    @property
    def deadline_s(self) -> float:
        return self._deadline_s

    def deadline(self) -> float:
        """Of a scan whose content has just ended: a moment of the loop's clock."""
        return asyncio.get_running_loop().time() + self._deadline_s


async def pause_before_another(attempt: int) -> None:
    metrics.SCANS(ScanEnd.TRIED_AGAIN).inc()
    await asyncio.sleep(PAUSE_S * attempt)


class _Feed:
    """Content of one message: gathered, then sent whole, or streamed as it comes."""

    __slots__ = (
        "_client",
        "_closing",
        "_deadline",
        "_gathered",
        "_kept",
        "_kept_octets",
        "_opening",
        "_over",
        "_parts",
        "_room",
        "_task",
        "_verdict",
        "_wake",
    )

    def __init__(
        self,
        client: ScanClient,
        opening: scan_pb2.ScanOpening,
        verdict: Callable[[Verdict], None],
        room: Callable[[], None],
    ) -> None:
        self._client = client
        self._opening = opening
        self._verdict = verdict
        self._room = room
        self._parts: deque[bytes] = deque()
        self._gathered = 0
        self._closing: scan_pb2.ScanClosing | None = None
        self._deadline = 0.0
        # What a stream has written so far; None: too much to begin anew.
        self._kept: list[bytes] | None = []
        self._kept_octets = 0
        self._task: asyncio.Task[None] | None = None
        self._wake: asyncio.Event | None = None
        self._over = False

    @property
    def full(self) -> bool:
        return not self._over and self._gathered > max(BACKLOG_OCTETS, self._client.inline_octets)

    def feed(self, content: bytes) -> None:
        if self._over:
            return
        self._parts.append(content)
        self._gathered += len(content)
        if self._task is None:
            if self._gathered > self._client.inline_octets:
                self._wake = asyncio.Event()
                self._task = self._client.spawn(self)
        elif self._wake is not None and self._gathered >= PART_OCTETS:
            self._wake.set()

    def finish(self, envelope: Envelope, *, head_only: bool) -> None:
        if self._over:
            return
        self._closing = scan_pb2.ScanClosing(
            envelope=envelope_to_wire(envelope), head_only=head_only
        )
        self._deadline = self._client.deadline()
        if self._task is None:
            self._task = self._client.spawn(self)
        elif self._wake is not None:
            self._wake.set()

    def abandon(self) -> None:
        self._end()
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        try:
            verdict = await (self._stream(self._wake) if self._wake else self._whole())
            metrics.SCANS(ScanEnd.ANSWERED).inc()
        except (Unavailable, MalformedMessage) as failure:
            verdict = unscanned(str(failure))
            metrics.SCANS(ScanEnd.GIVEN_UP).inc()
        if not self._over:
            self._end()
            self._verdict(verdict)
            self._room()

    def _end(self) -> None:
        self._over = True
        self._parts.clear()
        self._kept = None

    async def _whole(self) -> Verdict:
        assert self._closing is not None
        request = scan_pb2.ScanRequest(
            opening=self._opening,
            content=self._taken(self._gathered) if self._parts else b"",
            envelope=self._closing.envelope,
            head_only=self._closing.head_only,
        )
        return await self._client.scan(request, self._deadline)

    async def _stream(self, wake: asyncio.Event) -> Verdict:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._one_stream(wake)
            except Unavailable as failure:
                if not failure.retryable or attempt == ATTEMPTS or not self._taken_back():
                    raise
                await pause_before_another(attempt)
        raise AssertionError("the last attempt returns or raises")

    async def _one_stream(self, wake: asyncio.Event) -> Verdict:
        with translated("scanner"):
            call = self._client.open_stream()
            try:
                await self._pump(call, wake)
                async with asyncio.timeout_at(self._deadline or self._client.deadline()):
                    await call.done_writing()
                    return verdict_from_wire(parsed(await call))
            finally:
                call.cancel()

    async def _pump(
        self,
        call: "grpc.aio.StreamUnaryCall[scan_pb2.ScanPart, scan_pb2.Verdict]",
        wake: asyncio.Event,
    ) -> None:
        """Write parts until the end was written, or the scanner has heard enough."""
        part = scan_pb2.ScanPart(opening=self._opening)
        while True:
            try:
                async with asyncio.timeout(self._client.deadline_s):
                    await call.write(part)
            except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
                # It answered before the end, or is gone. A write that failed does not know which
                # (it says INTERNAL): the call itself, which is awaited next, does.
                return
            if part.HasField("closing"):
                return
            while self._gathered < PART_OCTETS and self._closing is None:
                wake.clear()
                await wake.wait()
            if self._gathered:
                part = scan_pb2.ScanPart(content=self._kept_too(self._taken(LARGEST_PART_OCTETS)))
                self._room()
            else:
                part = scan_pb2.ScanPart(closing=self._closing)

    def _kept_too(self, content: bytes) -> bytes:
        if self._kept is not None:
            self._kept_octets += len(content)
            self._kept.append(content)
            if self._kept_octets > KEPT_OCTETS:
                self._kept = None
        return content

    def _taken_back(self) -> bool:
        """Put what was written before what was not; False: it is not there any more."""
        if self._kept is None:
            return False
        self._parts.extendleft(reversed(self._kept))
        self._gathered += self._kept_octets
        self._kept, self._kept_octets = [], 0
        return True

    def _taken(self, most: int) -> bytes:
        """What was gathered; whole slices, the first of them always, up to ``most`` octets."""
        taken = [self._parts.popleft()]
        size = len(taken[0])
        while self._parts and size + len(self._parts[0]) <= most:
            taken.append(self._parts.popleft())
            size += len(taken[-1])
        self._gathered -= size
        return taken[0] if len(taken) == 1 else b"".join(taken)
