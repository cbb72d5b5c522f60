"""Reach the server a session was going to."""

import asyncio
import errno
from dataclasses import dataclass
from typing import Final

from edge_proxy.links.link import Link
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
    """

    destination: Endpoint
    local_address: str = ""
    transparent: bool = False
    first_octets: bytes = b""


async def connect(route: Route, timeout_s: float, link: Link) -> None:
    """Returns when ``link`` stands. Raises NotConnected."""
    destination = route.destination
    local = (route.local_address, 0) if route.local_address else None
    loop = asyncio.get_running_loop()
    stands = False
    try:
        async with asyncio.timeout(timeout_s):
            await loop.create_connection(
                lambda: link, destination.address, destination.port, local_addr=local
            )
        stands = True
    except TimeoutError:
        raise NotConnected(Loss.TIMEOUT) from None
    except OSError as error:
        raise NotConnected(_LOSSES.get(error.errno or 0, Loss.UNREACHABLE)) from None
    finally:
        if not stands:
            link.forsake()
