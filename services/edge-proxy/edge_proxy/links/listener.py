"""The listening sockets: bound once, accepted from by every process that holds them.

With several workers all accept from the same socket (docs/decisions has why).
"""

import asyncio
import socket
from collections.abc import Callable, Sequence

from edge_proxy.links.link import Link
from service_kit.addresses import HostPort
from service_kit.errors import StartError


def bind(address: HostPort, backlog: int, purpose: str = "") -> socket.socket:
    """A listening socket; ``[::]`` takes both families.

    Raises StartError: the address is taken, or not ours; ``purpose`` says for what it was.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind((address.host, address.port))
        listening.listen(backlog)
        listening.settimeout(0)  # asyncio waits, the socket never
    except OSError as error:
        listening.close()
        raise StartError(
            f"cannot listen on {address}{purpose}: {error.strerror or error}"
        ) from None
    return listening


def address_of(listening: socket.socket) -> HostPort:
    """Where it really listens: port 0 was "any free one"."""
    host, port = listening.getsockname()[:2]
    return HostPort(host, port)


async def listen(
    sockets: Sequence[socket.socket], backlog: int, link: Callable[[], Link]
) -> list[asyncio.Server]:
    """Accept on each of the sockets; every connection gets a link of its own.

    asyncio listens once more, with a backlog of its own unless it is told ours.
    """
    loop = asyncio.get_running_loop()
    return [await loop.create_server(link, sock=each, backlog=backlog) for each in sockets]
