"""A router's proxy-helper daemon on a real UDP socket: answers as the old one does, or worse."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.mail_client import LOOPBACK

Answer = Callable[[bytes, int], Sequence[bytes]]
"""The question and how many came before it, to the datagrams of an answer."""


@dataclass(slots=True)
class HelperDaemon(asyncio.DatagramProtocol):
    answer: Answer
    port: int = 0
    questions: list[bytes] = field(default_factory=list)
    askers: list[tuple[str, int]] = field(default_factory=list)
    transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.askers.append(addr)
        for datagram in self.answer(data, len(self.questions)):
            self.transport.sendto(datagram, addr)
        self.questions.append(data)

    def forge(self, datagram: bytes, source: str = LOOPBACK) -> None:
        """Say something to the last asker from a port, or an address, that was not asked."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
            forger.bind((source, 0))
            forger.sendto(datagram, self.askers[-1])


def found(query: bytes, *, destination: str, port: int, identity: bytes = b"") -> bytes:
    """The old daemon's answer, from the table of offsets: it does not look at the secret."""
    reply = bytearray(66)
    reply[0:4] = b"RPHD"
    reply[4:8] = query[4:8]
    reply[12:14] = b"\x04\x02"
    reply[14:16] = b"\x00\x12"
    reply[20:24] = socket.inet_aton(destination)
    reply[26:28] = port.to_bytes(2, "big")
    reply[28 : 28 + len(identity)] = identity
    return bytes(reply)


def not_found(query: bytes) -> bytes:
    reply = bytearray(66)
    reply[0:8] = query[0:8]
    reply[12:16] = b"\x04\x02\x00\x22"
    return bytes(reply)


@asynccontextmanager
async def helper_daemon(answer: Answer, address: str = LOOPBACK) -> AsyncIterator[HelperDaemon]:
    transport, daemon = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: HelperDaemon(answer), local_addr=(address, 0)
    )
    daemon.port = transport.get_extra_info("sockname")[1]
    try:
        yield daemon
    finally:
        transport.abort()
