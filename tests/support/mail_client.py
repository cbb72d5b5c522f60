"""What tests say to an edge: a RawClient with an address of its own and whole transactions."""

import asyncio
import os
import socket
from typing import Final, Self

from lab.raw_client import RawClient, Reply
from service_kit.addresses import HostPort

ENVELOPE: Final = (b"MAIL FROM:<a@customer.example>", b"RCPT TO:<b@far.example>")
LOOPBACK: Final = "127.0.0.1"


class MailClient(RawClient):
    """``source``: the loopback address it comes from."""

    def __init__(self, address: HostPort, source: str = LOOPBACK) -> None:
        super().__init__(address)
        self._source: Final = source

    async def connect(self) -> Self:
        async with asyncio.timeout(self._patience_s):
            self._reader, self._writer = await asyncio.open_connection(
                self._address.host, self._address.port, local_addr=(self._source, 0)
            )
        return self

    @property
    def connection(self) -> socket.socket:
        """For socket options."""
        connection: socket.socket = self._writer.get_extra_info("socket")
        return connection

    @property
    def unsent_octets(self) -> int:
        """What this client has written and the edge has not yet taken from it."""
        return self._writer.transport.get_write_buffer_size()

    def write(self, octets: bytes) -> None:
        """Hand octets over and do not wait until anybody takes them."""
        self._writer.write(octets)

    def connection_sends(self, octets: bytes) -> None:
        """These octets are in the kernel's buffer when this returns: the loop has not turned."""
        duplicate = socket.socket(fileno=os.dup(self.connection.fileno()))
        with duplicate:
            duplicate.sendall(octets)

    def stop_reading(self) -> None:
        """From now on nothing is taken from the kernel's buffer."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]  # a write-only type

    def read_on(self) -> None:
        self._writer.transport.resume_reading()  # type: ignore[attr-defined]  # a write-only type

    async def count_rest(self) -> int:
        """How many octets come until the other side closes."""
        count = 0
        async with asyncio.timeout(self._patience_s):
            while slice_ := await self._reader.read(65_536):
                count += len(slice_)
        return count

    async def greeted(self, *commands: bytes) -> Self:
        """Read the greeting, say EHLO and these commands, each of which must succeed."""
        greeting = await self.reply()
        assert greeting.code == 220, greeting
        for command in (b"EHLO me.example", *commands):
            reply = await self.command(command)
            assert reply.code < 400, (command, reply)
        return self

    async def begun(self) -> Self:
        """Up to the 354."""
        return await self.greeted(*ENVELOPE, b"DATA")

    async def deliver(self, content: bytes) -> Reply:
        """One transaction, step by step; the answer to its end. ``content`` is stuffed."""
        for command in (*ENVELOPE, b"DATA"):
            reply = await self.command(command)
            if reply.code >= 400:
                return reply
        await self.send_octets(content + b".\r\n")
        return await self.reply()

    async def quit(self) -> Reply:
        return await self.command(b"QUIT")
