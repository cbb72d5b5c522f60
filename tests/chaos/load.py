"""A steady load of clean, spam and infected messages, each with a name, sent as MTAs do.

What is deferred, unknown or not sent is tried again until the load ends; what is refused is not.
Whatever a client hears is written down.
"""

import asyncio
import secrets
import time
from collections.abc import Iterator
from itertools import count, cycle
from typing import Final

from lab.messages import EICAR, GTUBE
from service_kit.addresses import HostPort
from tests.chaos.judge import Attempt, Kind, Told

CLIENTS: Final = 8
EVERY_S: Final = 0.1
"""Between two new messages of the whole load."""
AGAIN_S: Final = 1.0
PATIENCE_S: Final = 45.0
HEADER: Final = "X-Chaos-Message"

_MIX: Final = (Kind.CLEAN, Kind.CLEAN, Kind.CLEAN, Kind.SPAM, Kind.CLEAN, Kind.INFECTED)
_BODIES: Final = {
    Kind.CLEAN: "All is well.",
    Kind.SPAM: GTUBE,
    Kind.INFECTED: EICAR.decode(),
}
_CODES: Final = {b"2": Told.ACCEPTED, b"4": Told.DEFERRED, b"5": Told.REFUSED}


class Load:
    """``attempts`` grows while it runs. Begin with ``run``, end with ``finish``."""

    def __init__(self, edge: HostPort) -> None:
        self.attempts: list[Attempt] = []
        self._edge = edge
        self._run = secrets.token_hex(4)
        self._numbers = count(1)
        self._kinds = cycle(_MIX)
        self._waiting: asyncio.Queue[tuple[str, Kind]] = asyncio.Queue()
        self._unsettled: set[str] = set()
        self._ending = False

    async def run(self) -> None:
        """Until ``finish``; whatever is under way then is settled first, for PATIENCE_S."""
        async with asyncio.TaskGroup() as group:
            clients = [group.create_task(self._client()) for _ in range(CLIENTS)]
            while not self._ending:
                name, kind = f"{self._run}-{next(self._numbers)}", next(self._kinds)
                self._unsettled.add(name)
                self._waiting.put_nowait((name, kind))
                await asyncio.sleep(EVERY_S)
            until_s = time.monotonic() + PATIENCE_S
            while self._unsettled and time.monotonic() < until_s:  # noqa: ASYNC110 - of many
                await asyncio.sleep(EVERY_S)
            for client in clients:
                client.cancel()

    def finish(self) -> None:
        self._ending = True

    @property
    def accepted_clean(self) -> int:
        return sum(each.kind is Kind.CLEAN and each.told is Told.ACCEPTED for each in self.attempts)

    async def _client(self) -> None:
        while True:
            name, kind = await self._waiting.get()
            told = await _attempt(self._edge, name, kind)
            self.attempts.append(Attempt(name, kind, told, time.monotonic()))
            if told in (Told.ACCEPTED, Told.REFUSED):
                self._unsettled.discard(name)
            else:
                await asyncio.sleep(AGAIN_S)
                self._waiting.put_nowait((name, kind))


async def _attempt(edge: HostPort, name: str, kind: Kind) -> Told:
    sent = False
    writer = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(edge.host, edge.port)
            code = await _reply(reader)
            for line in _commands():
                if code[:1] in (b"4", b"5"):
                    return Told.DEFERRED  # before the content: this load has nothing to refuse
                writer.write(line)
                code = await _reply(reader)
            if code[:1] != b"3":
                return Told.DEFERRED
            writer.write(_content(name, kind))
            sent = True
            await writer.drain()
            return _CODES[(await _reply(reader))[:1]]
    except (OSError, EOFError, TimeoutError, KeyError):
        return Told.UNKNOWN if sent else Told.NOT_SENT
    finally:
        if writer is not None:
            writer.close()


def _commands() -> Iterator[bytes]:
    yield b"EHLO client.example\r\n"
    yield b"MAIL FROM:<a@client.example>\r\n"
    yield b"RCPT TO:<b@far.example>\r\n"
    yield b"DATA\r\n"


def _content(name: str, kind: Kind) -> bytes:
    lines: list[str] = [
        "From: a@client.example",
        "To: b@far.example",
        f"Subject: {kind}",
        "Date: Tue, 24 Nov 2026 00:00:00 +0000",
        f"Message-ID: <{name}@client.example>",
        f"{HEADER}: {name}",
        "",
        _BODIES[kind],
        ".",
        "",
    ]
    return "\r\n".join(lines).encode()


async def _reply(reader: asyncio.StreamReader) -> bytes:
    """The code of a whole reply. Raises EOFError."""
    while True:
        line = await reader.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        if line[3:4] != b"-":
            return line[:3]
