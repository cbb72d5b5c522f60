"""A far server that grants STARTTLS and is then whatever the test makes of its octets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from service_kit.addresses import HostPort
from service_kit.tasks import Tasks

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_far(talk: Talk) -> AsyncIterator[HostPort]:
    """``talk`` begins behind the 220 to STARTTLS; the connection is closed when it returns."""
    async with Tasks() as tasks:

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                writer.write(b"220 far.example ESMTP\r\n")
                await reader.readuntil(b"\r\n")
                writer.write(b"250-far.example\r\n250 STARTTLS\r\n")
                await reader.readuntil(b"\r\n")
                writer.write(b"220 2.0.0 go ahead\r\n")
                await talk(reader, writer)
            finally:
                writer.close()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.spawn(converse(reader, writer), name="raw far")

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        try:
            yield HostPort("127.0.0.1", server.sockets[0].getsockname()[1])
        finally:
            server.close()
