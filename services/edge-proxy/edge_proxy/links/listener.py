"""The listening sockets: shared between worker processes by SO_REUSEPORT."""

import asyncio
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from edge_proxy.links.link import Link
from service_kit.addresses import HostPort
from service_kit.errors import StartError


def bind(address: HostPort, backlog: int, *, shared: bool) -> socket.socket:
    """A listening socket; ``shared``: several processes listen there and share the connections.

    ``[::]`` takes both families. Raises StartError: the address is taken, or not ours.
    """
    listening = _bound(address, shared=shared)
    try:
        listening.listen(backlog)
    except OSError as error:
        listening.close()
        raise _cannot(address, error) from None
    return listening


@contextmanager
def reserved(addresses: Iterable[HostPort]) -> Iterator[None]:
    """Nobody but processes that share these addresses with us gets them; we do not listen.

    Raises StartError.
    """
    with ExitStack() as held:
        for address in addresses:
            held.enter_context(_bound(address, shared=True))
        yield


def _bound(address: HostPort, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family is socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind((address.host, address.port))
        bound.settimeout(0)  # asyncio waits, the socket never
    except OSError as error:
        bound.close()
        raise _cannot(address, error) from None
    return bound


def _cannot(address: HostPort, error: OSError) -> StartError:
    return StartError(f"cannot listen on {address}: {error.strerror or error}")


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
