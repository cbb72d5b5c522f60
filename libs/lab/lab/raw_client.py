"""A client that sends exactly the octets it is told, in exactly the slices it is told.

For what no mail program does on purpose: groups (RFC 2920), halves of commands, garbage.
Every wait ends by the patience given at ``connect``: TimeoutError. A server that closes in
the middle of a reply: EOFError.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final, Self

from service_kit.addresses import HostPort

PATIENCE_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Reply:
    """All lines of one reply (RFC 5321 §4.2): ``code``, and the texts behind it."""

    code: int
    texts: tuple[str, ...]

    @property
    def text(self) -> str:
        """The last line's text."""
        return self.texts[-1]

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class RawClient:
    """One connection; everything, the greeting too, is read when it is asked for."""

    def __init__(self, address: HostPort, patience_s: float = PATIENCE_S) -> None:
        self._address: Final = address
        self._patience_s: Final = patience_s
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def connect(self) -> Self:
        """Open the connection and read nothing."""
        async with asyncio.timeout(self._patience_s):
            self._reader, self._writer = await asyncio.open_connection(
                self._address.host, self._address.port
            )
        return self

    async def __aenter__(self) -> Self:
        return await self.connect()

    async def __aexit__(self, *_exception: object) -> None:
        self._writer.transport.abort()

    async def send(self, *lines: bytes) -> None:
        """The lines, each with CRLF, in one write."""
        await self.send_octets(b"".join(line + b"\r\n" for line in lines))

    async def send_octets(self, octets: bytes) -> None:
        """These octets in one write."""
        async with asyncio.timeout(self._patience_s):
            self._writer.write(octets)
            await self._writer.drain()

    async def finish(self) -> None:
        """Half-close: nothing more will be sent."""
        self._writer.write_eof()

    async def reply(self) -> Reply:
        """The next reply, whole."""
        texts: list[str] = []
        while True:
            line = await self._line()
            texts.append(line[4:])
            if line[3:4] != "-":
                return Reply(int(line[:3]), tuple(texts))

    async def replies(self, count: int) -> list[Reply]:
        """The next so many replies."""
        return [await self.reply() for _ in range(count)]

    async def command(self, line: bytes) -> Reply:
        """Send one command and wait for its reply."""
        await self.send(line)
        return await self.reply()

    async def start_tls(self, context: ssl.SSLContext, server_name: str = "") -> None:
        """Shake hands; the 220 was already read. ``server_name`` empty: the address we went to."""
        async with asyncio.timeout(self._patience_s):
            await self._writer.start_tls(context, server_hostname=server_name or self._address.host)

    async def rest(self) -> bytes:
        """Everything until the server closes; a reset counts as a close."""
        octets = b""
        async with asyncio.timeout(self._patience_s):
            try:
                while slice_ := await self._reader.read(65536):
                    octets += slice_
            except ConnectionResetError:
                pass
        return octets

    def abort(self) -> None:
        """RST, now."""
        self._writer.transport.abort()

    async def _line(self) -> str:
        async with asyncio.timeout(self._patience_s):
            line = await self._reader.readuntil(b"\n")
        if not line.endswith(b"\r\n"):
            raise ValueError(f"a reply line without CRLF: {line!r}")
        return line[:-2].decode("utf-8", "backslashreplace")
