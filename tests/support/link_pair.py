"""One link with a real peer, and an owner that writes down what it was told."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from edge_proxy.links.link import Link
from edge_proxy.links.open_links import OpenLinks
from tests.support.eventually import eventually


@dataclass(slots=True)
class Owner:
    """A LinkOwner."""

    told: list[str] = field(default_factory=list)
    octets: bytearray = field(default_factory=bytearray)

    def began(self, link: Link) -> None:
        self.told.append("began")

    def octets_arrived(self, link: Link, octets: bytes) -> None:
        self.octets += octets

    def ended(self, link: Link) -> None:
        self.told.append("ended")

    def lost(self, link: Link) -> None:
        self.told.append("lost")

    def room_changed(self, link: Link) -> None:
        self.told.append("full" if link.full else "room")


@dataclass(slots=True)
class Pair:
    """``peer`` is the other end, a plain blocking-free socket."""

    link: Link
    owner: Owner
    peer: socket.socket
    open_links: OpenLinks

    async def peer_reads(self, count: int = 65_536) -> bytes:
        """What the peer can read now or soon; empty: the link has ended."""
        async with asyncio.timeout(20):
            return await asyncio.get_running_loop().sock_recv(self.peer, count)

    async def peer_reads_all(self) -> bytes:
        octets = bytearray()
        while slice_ := await self.peer_reads():
            octets += slice_
        return bytes(octets)

    async def peer_sends(self, octets: bytes) -> None:
        async with asyncio.timeout(20):
            await asyncio.get_running_loop().sock_sendall(self.peer, octets)

    async def gone(self) -> None:
        """Wait until the link is."""
        await eventually(lambda: len(self.open_links) == 0)


@asynccontextmanager
async def link_pair(owner: Owner | None = None) -> AsyncIterator[Pair]:
    """An accepted link: its peer is a client."""
    loop = asyncio.get_running_loop()
    owned = Owner() if owner is None else owner
    open_links = OpenLinks()
    links: list[Link] = []

    def accepted() -> Link:
        links.append(Link(lambda _link: owned, open_links))
        return links[-1]

    server = await loop.create_server(accepted, "127.0.0.1", 0)
    peer = socket.socket()
    peer.setblocking(False)
    try:
        await loop.sock_connect(peer, server.sockets[0].getsockname())
        await eventually(lambda: "began" in owned.told)
        yield Pair(links[0], owned, peer, open_links)
    finally:
        peer.close()
        server.close()
        for link in links:
            link.abort()
        await open_links.close(1.0)
