"""The sockets others come to: those that were given, and bound here what was not.

Errors: StartError, naming the address and what is wrong with it.
"""

import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from edge_proxy.config import EdgeSettings
from edge_proxy.links.listener import address_of, bind
from service_kit.addresses import HostPort

STATUS_BACKLOG: Final = 16


@dataclass(frozen=True, slots=True)
class Doors:
    """They listen already. ``sessions`` are in the order of ``[listen] addresses``."""

    sessions: Sequence[socket.socket]
    status: socket.socket | None

    def all(self) -> tuple[socket.socket, ...]:
        return (*self.sessions, *([self.status] if self.status is not None else []))

    def close(self) -> None:
        """Ours only: another process that holds them goes on listening."""
        for door in self.all():
            door.close()


def furnish(settings: EdgeSettings, given: Iterable[socket.socket]) -> tuple[Doors, list[HostPort]]:
    """The doors that ``settings`` ask for, and the addresses of those given but not asked for,
    which are closed."""
    left = {address_of(each): each for each in given}
    listen, metrics = settings.listen, settings.metrics
    with ExitStack() as undo:
        for each in left.values():
            undo.callback(each.close)

        def door(address: HostPort, backlog: int, purpose: str = "") -> socket.socket:
            found = left.pop(_as_bound(address), None)
            if found is None:
                found = undo.enter_context(bind(address, backlog, purpose))
            return found

        sessions = [door(each, listen.backlog) for each in listen.addresses]
        status = door(metrics.listen, STATUS_BACKLOG, " for /metrics") if metrics else None
        undo.pop_all()
    for surplus in left.values():
        surplus.close()
    return Doors(sessions, status), list(left)


def _as_bound(address: HostPort) -> HostPort:
    """What the kernel would call it; a host name is resolved as ``bind`` does."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError:
        return address  # bind has the words for it
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    names = [where[:2] for kind, *_, where in found if kind is family]
    return HostPort(str(names[0][0]), int(names[0][1])) if names else address
