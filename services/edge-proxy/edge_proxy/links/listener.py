"""The listening sockets: shared between worker processes by SO_REUSEPORT."""

import asyncio
import socket
from collections.abc import Callable, Sequence

from edge_proxy.links.link import Link
from service_kit.addresses import HostPort
from service_kit.errors import StartError


def bind(address: HostPort, backlog: int, *, shared: bool) -> socket.socket:
    """A listening socket; ``shared``: several processes listen there and share the connections.

    ``[::]`` takes both families. Raises StartError: the address is taken, or not ours.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family is socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind((address.host, address.port))
        listening.listen(backlog)
        listening.settimeout(0)  # asyncio waits, the socket never
    except OSError as error:
        listening.close()
        raise StartError(f"cannot listen on {address}: {error.strerror}") from None
    return listening


def address_of(listening: socket.socket) -> HostPort:
    """Where it really listens: port 0 was "any free one"."""
    host, port = listening.getsockname()[:2]
    return HostPort(host, port)


async def listen(
    sockets: Sequence[socket.socket], link: Callable[[], Link]
) -> list[asyncio.Server]:
    """Accept on each of the sockets; every connection gets a link of its own."""
    loop = asyncio.get_running_loop()
    return [await loop.create_server(link, sock=each) for each in sockets]
