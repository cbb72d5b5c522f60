"""A router's patched ident daemon: hears the question, says what a test wants it to say."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.support.mail_client import LOOPBACK

Answer = Callable[[str, str], Iterable[bytes]]
"""The two ports, as they were asked, to the slices of an answer, which may be endless."""


@dataclass(slots=True)
class IdentDaemon:
    """``answer``: None: the question is heard and nothing said, until the asker leaves.

    ``stays``: it does not hang up after its answer; then, too, it waits until the asker leaves.
    """

    answer: Answer | None = None
    stays: bool = False
    port: int = 0
    questions: list[bytes] = field(default_factory=list)
    askers: list[str] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.askers.append(writer.get_extra_info("peername")[0])
        question = await reader.readline()
        self.questions.append(question)
        with suppress(ConnectionError):
            if self.answer is not None:
                for slice_ in self.answer(*question.decode().strip().split(" , ")):
                    writer.write(slice_)
                    await writer.drain()
                    await asyncio.sleep(0)
            if self.answer is None or self.stays:
                await reader.read()
        self.left.set()
        writer.close()


def origin(destination: str, port: int, identity: str) -> Answer:
    """The documented answer."""

    def answer(theirs: str, ours: str) -> list[bytes]:
        return [f"{theirs} , {ours} : ORIGIN : {destination} : {port} : {identity}\r\n".encode()]

    return answer


@asynccontextmanager
async def ident_daemon(
    answer: Answer | None, address: str = LOOPBACK, *, stays: bool = False
) -> AsyncIterator[IdentDaemon]:
    daemon = IdentDaemon(answer, stays)
    server = await asyncio.start_server(daemon.accepted, address, 0)
    daemon.port = server.sockets[0].getsockname()[1]
    async with server:
        yield daemon
