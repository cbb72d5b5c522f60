"""One connection to an engine: one exchange at a time, read and written at the same time.

An engine may answer before it was told everything (clamd at its size limit does, and then
closes), so the answer is waited for while the content is still being written. Such an answer
can be a refusal, but never "clean": ``answered_early`` is for the engine to look at. A link
that got anything unexpected is never used again.

Errors: EngineFailure (UNREACHABLE, LOST, MALFORMED). The caller holds the deadline; a
cancelled exchange leaves the link unusable, and closing it tells the engine to stop.
"""

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Iterable
from typing import Any, Final, TypeVar, cast

from scanner.core.replies import ReplyMalformed, ReplyReader
from scanner.ports import EngineFailure, FailureReason
from service_kit.addresses import UnixOrTcp
from service_kit.escaping import text_for_log

Reply = TypeVar("Reply")

# Octets the transport may hold before writing waits: content lies in memory once, here it
# would lie a second time.
_HIGH_WATER_OCTETS: Final = 256 * 1024


class EngineLink(asyncio.Protocol):
    """Made by ``connect``. ``exchanges`` counts those begun, the present one included."""

    def __init__(self) -> None:
        self.exchanges = 0
        self.answered_early = False
        self._transport: asyncio.Transport | None = None
        self._reader: ReplyReader[Any] | None = None
        self._answer: asyncio.Future[Any] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._usable = True
        self._written = False

    @property
    def usable(self) -> bool:
        """Whether another exchange can begin: nothing is owed, nothing odd has happened."""
        return self._usable and self._reader is None

    async def exchange(
        self,
        request: Iterable[bytes | memoryview],
        reader: ReplyReader[Reply],
        *,
        half_close: bool = False,
    ) -> Reply:
        """Write all of ``request``, return what ``reader`` makes of the octets that come.

        ``half_close``: say the end of the request by closing our side, after which there is
        no other exchange.
        """
        if not self.usable:
            raise EngineFailure(FailureReason.LOST, "closed or out of step before it was asked")
        assert self._transport is not None
        self.exchanges += 1
        self._reader = reader
        self._answer = answer = asyncio.get_running_loop().create_future()
        self._written = False
        try:
            for octets in request:
                if self._writable is not None:
                    await asyncio.wait((self._writable, answer), return_when=FIRST_COMPLETED)
                if answer.done():
                    break
                self._transport.write(octets)
            else:
                # No await since the last write: an answer that comes from here on is not early.
                self._written = True
                if half_close:
                    self._transport.write_eof()
            reply: Reply = await answer
        except BaseException:
            self.abort()
            raise
        finally:
            self._reader = self._answer = None
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen, also when this exchange was cancelled meanwhile
        return reply

    def abort(self) -> None:
        """Close now; what was not written yet is dropped."""
        self._usable = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio's classes, not the classes.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER_OCTETS)

    def data_received(self, data: bytes) -> None:
        if self._reader is None or self._answer is None or self._answer.done():
            self.abort()  # nobody asked
            return
        try:
            reply = self._reader.feed(data)
        except ReplyMalformed as wrong:
            self._fail(EngineFailure(FailureReason.MALFORMED, str(wrong)))
            return
        if reply is None:
            return
        if self._reader.trailing:
            self._fail(EngineFailure(FailureReason.MALFORMED, "octets behind the reply"))
            return
        assert self._transport is not None
        self.answered_early = not self._written or self._transport.get_write_buffer_size() > 0
        self._usable &= not self.answered_early
        self._answer.set_result(reply)

    def eof_received(self) -> bool:
        self._usable = False
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._usable = False
        self._fail(EngineFailure(FailureReason.LOST, text_for_log(str(exc or "closed"))))
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def _fail(self, failure: EngineFailure) -> None:
        self._usable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(failure)


async def connect(address: UnixOrTcp) -> EngineLink:
    loop = asyncio.get_running_loop()
    try:
        if address.tcp is not None:
            _, link = await loop.create_connection(EngineLink, address.tcp.host, address.tcp.port)
        else:
            _, link = await loop.create_unix_connection(EngineLink, address.path)
    except OSError as wrong:
        why = text_for_log(wrong.strerror or str(wrong))
        raise EngineFailure(FailureReason.UNREACHABLE, f"{address}: {why}") from None
    return link
