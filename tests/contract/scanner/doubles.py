"""Servers that speak as they are told: good twins of each engine's daemon, and bad ones.

A *script* is what happens on one connection. A double listens on a UNIX socket and counts its
connections; whatever a script still has open is closed with it.
"""

import asyncio
import contextlib
import json
import re
import struct
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from lab.messages import EICAR, GTUBE
from service_kit.addresses import UnixOrTcp

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SIGNATURE: Final = "Double.Eicar"


class Double:
    """``connections``: how often somebody connected. ``closed``: set when a client left."""

    def __init__(self, script: Script, address: UnixOrTcp) -> None:
        self.address = address
        self.connections = 0
        self.closed = asyncio.Event()
        self._script = script

    def becomes(self, script: Script) -> None:
        """From the next connection on it speaks like this."""
        self._script = script

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed.set()
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def double(script: Script) -> AsyncIterator[Double]:
    with tempfile.TemporaryDirectory(prefix="double-") as folder:
        path = str(Path(folder) / "socket")
        made = Double(script, UnixOrTcp(path=path))
        server = await asyncio.start_unix_server(made.serve, path)
        try:
            yield made
        finally:
            server.close()
            await server.wait_closed()


# clamd


async def read_stream(reader: asyncio.StreamReader) -> bytes:
    """The content of an INSTREAM, behind its verb."""
    content = bytearray()
    while length := struct.unpack(">I", await reader.readexactly(4))[0]:
        content += await reader.readexactly(length)
    return bytes(content)


async def clamd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As clamd speaks: a session of numbered INSTREAMs, or VERSION alone."""
    number = 0
    while True:
        verb = await reader.readuntil(b"\0")
        if verb == b"zVERSION\0":
            writer.write(b"ClamAV 0.0.1/7/Mon Nov 23 10:00:00 2026\0")
            return
        if verb == b"zINSTREAM\0":
            number += 1
            found = EICAR in await read_stream(reader)
            said = f"stream: {SIGNATURE} FOUND" if found else "stream: OK"
            writer.write(f"{number}: {said}\0".encode())
            await writer.drain()


async def asked(reader: asyncio.StreamReader) -> bytes:
    """Reads a session's first INSTREAM to its end; what a bad double then says is its own."""
    await reader.readuntil(b"zINSTREAM\0")
    return await read_stream(reader)


def clamd_answering(octets: bytes) -> Script:
    """Reads the content, says this, and goes on reading."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        writer.write(octets)
        await reader.readexactly(1)

    return script


async def clamd_closing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Reads the content and closes without a word."""
    await asked(reader)


async def clamd_closing_early(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Closes in the middle of the content."""
    await reader.readexactly(100_000)


async def clamd_at_its_limit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As clamd does at StreamMaxLength: says so in the middle of the content, and closes."""
    await reader.readexactly(100_000)
    writer.write(b"1: INSTREAM size limit exceeded. ERROR\0")


async def clamd_clean_too_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Calls clean what it has not read."""
    await reader.readexactly(100_000)
    writer.write(b"1: stream: OK\0")
    await writer.drain()
    await reader.readexactly(1 << 40)


async def clamd_hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says its version, and nothing else."""
    if await reader.readuntil(b"\0") == b"zVERSION\0":
        writer.write(b"ClamAV 0.0.1\0")
        return
    await silent(reader, writer)


# spamd


async def spamd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As spamd speaks: SYMBOLS with the content up to its end, or PING."""
    head = await reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"PING SPAMC/1.5\r\n"):
        writer.write(b"SPAMD/1.5 0 PONG\r\n")
        return
    assert head.startswith(b"SYMBOLS SPAMC/1.5\r\n"), head
    length = re.search(rb"Content-length: (\d+)\r\n", head)
    assert length is not None
    content = await reader.read(-1)
    assert len(content) == int(length[1])
    symbols, score = (b"GTUBE", 1000.0) if GTUBE.encode() in content else (b"NO_RELAYS", -0.0)
    spam = b"True" if symbols == b"GTUBE" else b"False"
    writer.write(
        b"SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\nSpam: %s ; %.1f / 5.0\r\n\r\n%s"
        % (len(symbols), spam, score, symbols)
    )


def spamd_answering(octets: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.write(octets)

    return script


# both


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Reads and reads, and never says a word."""
    while await reader.read(1 << 16):
        pass
    raise ConnectionResetError


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speaks another protocol."""
    writer.write(b"220 mx.example ESMTP\r\n" * 1000)
    await writer.drain()
    await reader.readexactly(1 << 30)


# rspamd


async def rspamd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As rspamd speaks: one request a connection, its answer JSON over HTTP."""
    head = await reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"GET /ping "):
        writer.write(http(b"pong\r\n"))
        return
    assert head.startswith(b"POST /checkv2 HTTP/1.1\r\n"), head
    length = re.search(rb"Content-Length: (\d+)\r\n", head)
    assert length is not None
    content = await reader.readexactly(int(length[1]))
    found = GTUBE.encode() in content
    symbols = {"GTUBE": {"name": "GTUBE", "score": 15.0}} if found else {}
    said = {
        "score": 15.0 if found else 0.0,
        "action": "reject" if found else "no action",
        "symbols": symbols,
    }
    writer.write(http(json.dumps(said).encode()))


def http(body: bytes, status: str = "200 OK") -> bytes:
    return (
        b"HTTP/1.1 %s\r\nConnection: close\r\nServer: rspamd/0.0\r\nContent-Length: %d\r\n\r\n%s"
        % (status.encode(), len(body), body)
    )


def rspamd_answering(octets: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)\r\n", head)
        assert length is not None
        await reader.readexactly(int(length[1]))
        writer.write(octets)

    return script


# mksd


async def mksd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As mksd spoke: the path of a file, a line."""
    question = await reader.readuntil(b"\n")
    assert question.startswith(b"S/"), question
    path = Path(question[1:-1].decode())
    found = EICAR in await asyncio.to_thread(path.read_bytes)
    writer.write(b"VIR %s %s\n" % (SIGNATURE.encode(), str(path).encode()) if found else b"OK\n")


def mksd_answering(octets: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n")
        writer.write(octets)

    return script
