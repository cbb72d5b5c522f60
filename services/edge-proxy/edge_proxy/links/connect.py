"""Reach the server a session was going to."""

import asyncio
import errno
import socket
from dataclasses import dataclass
from typing import Final

from edge_proxy.links.link import Link
from edge_proxy.links.transparent import bind_address, make_transparent, set_mark
from edge_proxy.relay.actions import Loss
from smtpgated_contracts.values.mail import Endpoint

_LOSSES: Final = {errno.ECONNREFUSED: Loss.REFUSED, errno.ETIMEDOUT: Loss.TIMEOUT}


class NotConnected(Exception):  # noqa: N818 - what is the case
    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.value)
        self.loss = loss


@dataclass(frozen=True, slots=True)
class Route:
    """How a session's server is reached.

    ``local_address``: where we connect from; empty: the system's choice. ``transparent``: that
    address is not one of ours but the client's. ``first_octets`` go before everything else.
    ``mark``: SO_MARK of the connection, 0: none.
    """

    destination: Endpoint
    local_address: str = ""
    transparent: bool = False
    first_octets: bytes = b""
    mark: int = 0


async def connect(route: Route, timeout_s: float, link: Link) -> None:
    """Returns when ``link`` stands. Raises NotConnected."""
    stands = False
    try:
        async with asyncio.timeout(timeout_s):
            if route.transparent or route.mark:
                await _connect_prepared(route, link)
            else:
                await _connect_plainly(route, link)
        stands = True
    except TimeoutError:
        raise NotConnected(Loss.TIMEOUT) from None
    except OSError as error:
        raise NotConnected(_LOSSES.get(error.errno or 0, Loss.UNREACHABLE)) from None
    finally:
        if not stands:
            link.forsake()


async def _connect_plainly(route: Route, link: Link) -> None:
    destination = route.destination
    local = (route.local_address, 0) if route.local_address else None
    await asyncio.get_running_loop().create_connection(
        lambda: link, destination.address, destination.port, local_addr=local
    )


async def _connect_prepared(route: Route, link: Link) -> None:
    """On a socket of our own making: it has options that must be set before it connects."""
    loop = asyncio.get_running_loop()
    destination = route.destination
    places = await loop.getaddrinfo(destination.address, destination.port, type=socket.SOCK_STREAM)
    trouble = OSError(errno.EADDRNOTAVAIL, "no address")
    for family, kind, protocol, _, place in places:
        with socket.socket(family, kind, protocol) as made:
            try:
                _prepare(made, route)
                await loop.sock_connect(made, place)
            except OSError as error:
                trouble = error
                continue
            await loop.create_connection(lambda: link, sock=made.dup())
            return
    raise trouble


def _prepare(made: socket.socket, route: Route) -> None:
    made.setblocking(False)  # noqa: FBT003 - socket's own signature
    if route.mark:
        set_mark(made, route.mark)
    if route.transparent:
        make_transparent(made)
    if route.local_address:
        bind_address(made, route.local_address)
