"""A cable between an edge and a service that can be cut, mended, and silenced.

``cut`` is what the other side sees when a process is killed: every connection is reset and the
port answers with a reset. ``silence`` is a network that swallows everything without a word.
"""

import asyncio
import socket
import struct
from typing import Final, Self

from service_kit.addresses import HostPort
from service_kit.tasks import Tasks

_RESET: Final = struct.pack("ii", 1, 0)
_SLICE: Final = 65_536


class Wire:
    """Listens on a port of its own while it is entered; the port stays the same."""

    def __init__(self, far_end: HostPort) -> None:
        self._far_end: Final = far_end
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: Final = Tasks()
        self._passes = asyncio.Event()
        self._passes.set()
        self.address = HostPort("127.0.0.1", 0)

    @property
    def target(self) -> str:
        return str(self.address)

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.cut()
        await self._tasks.aclose()

    async def cut(self) -> None:
        """Nobody listens any more, and every connection ends with a reset."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._writers):
            _reset(writer)
        self._writers.clear()
        await asyncio.sleep(0)

    async def hang_up(self) -> None:
        """Every connection ends as its far end would end it: no reset, and we still listen."""
        for writer in tuple(self._writers):
            writer.close()
        self._writers.clear()
        await asyncio.sleep(0)

    async def mend(self) -> None:
        """Listen again, on the port it had before."""
        self._passes.set()
        self._server = await asyncio.start_server(
            self._connected, self.address.host, self.address.port, reuse_address=True
        )
        self.address = HostPort("127.0.0.1", self._server.sockets[0].getsockname()[1])

    def silence(self) -> None:
        """Connections stay and nothing passes any more, until ``mend`` or ``speak``."""
        self._passes.clear()

    def speak(self) -> None:
        self._passes.set()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self._tasks.spawn(self._join(reader, writer), name="wire")

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(
                self._far_end.host, self._far_end.port
            )
        except OSError:
            writer.transport.abort()
            return
        self._writers.add(far_writer)
        there = self._tasks.spawn(self._copy(reader, far_writer), name="wire there")
        back = self._tasks.spawn(self._copy(far_reader, writer), name="wire back")
        try:
            await asyncio.wait({there, back})
        finally:
            for each in (writer, far_writer):
                self._writers.discard(each)
                each.transport.abort()

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while octets := await source.read(_SLICE):
                await self._passes.wait()
                sink.write(octets)
                await sink.drain()
            if not sink.transport.is_closing():
                sink.write_eof()
        except OSError:  # one end was reset; the other would never hear of it
            _reset(sink)


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.transport.is_closing():
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
