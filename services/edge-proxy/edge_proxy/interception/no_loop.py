"""A connection that would come back to us is turned away before it does.

It would when its destination is where we listen, by whichever of this machine's addresses; when
it carries the mark of our own upstream connections (the kernel hands a connection's mark to the
accepted socket with ``net.ipv4.tcp_fwmark_accept = 1``); and when its source is its destination,
unless that destination was configured.
"""

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge_proxy.interception.own_address import is_own_address
from edge_proxy.ports import Arrived, Found, Interception, NoDestination, NotFound
from service_kit.addresses import HostPort
from smtpgated_contracts.values.mail import Endpoint

_MARK: Final = struct.Struct("=I")
_EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound


@dataclass(frozen=True, slots=True)
class NoLoop:
    """What ``inner`` finds, unless it is a loop.

    ``mark``: of our upstream connections, 0: they have none. ``may_be_source``: a source may be
    its own destination (a laboratory on one machine).
    """

    inner: Interception
    listening: Sequence[HostPort]
    mark: int = 0
    may_be_source: bool = False

    async def find(self, arrived: Arrived) -> Found:
        if self.mark and _mark_of(arrived) == self.mark:
            raise NoDestination(NotFound.LOOP, "it is a connection of our own")
        found = await self.inner.find(arrived)
        destination = found.original_destination
        if found.source.address == destination.address and not self.may_be_source:
            raise NoDestination(NotFound.LOOP, f"{destination} is its own source")
        if any(_reaches(destination, each) for each in self.listening):
            raise NoDestination(NotFound.LOOP, f"{destination} is where we listen")
        return found


def _reaches(destination: Endpoint, listening: HostPort) -> bool:
    if destination.port != listening.port:
        return False
    if listening.host not in _EVERY_ADDRESS:
        return destination.address == listening.host
    return is_own_address(destination.address)


def _mark_of(arrived: Arrived) -> int:
    answer = arrived.socket.getsockopt(socket.SOL_SOCKET, socket.SO_MARK, _MARK.size)
    mark: int = _MARK.unpack(answer)[0]
    return mark
