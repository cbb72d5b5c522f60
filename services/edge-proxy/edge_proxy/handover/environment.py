"""Doors inherited at the start: from the service manager, or from our own supervisor.

The manager's protocol is sd_listen_fds(3): LISTEN_FDS descriptors from 3 on, meant for the
process LISTEN_PID. Names (LISTEN_FDNAMES) are not looked at: a door is known by its address.
Errors: StartError for a descriptor that is no listening TCP socket.
"""

import os
import socket
from collections.abc import Iterable, MutableMapping
from typing import Final

from service_kit.errors import StartError

_FIRST: Final = 3
_MANAGER_VARIABLES: Final = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")
DOORS_VARIABLE: Final = "SMTPGATED_DOORS"
"""From the supervisor to a worker: its descriptors, separated by commas."""


def doors_from_manager(environ: MutableMapping[str, str]) -> list[socket.socket]:
    """Taken once: the variables are gone afterwards, so that no child believes in them."""
    count, process, _names = (environ.pop(each, "") for each in _MANAGER_VARIABLES)
    if process != str(os.getpid()) or not count.isdecimal():
        return []
    return [_listening(each) for each in range(_FIRST, _FIRST + int(count))]


def doors_from_supervisor(environ: MutableMapping[str, str]) -> list[socket.socket]:
    """What ``for_worker`` described."""
    return [_listening(int(each)) for each in environ.pop(DOORS_VARIABLE, "").split(",") if each]


def for_worker(doors: Iterable[socket.socket]) -> dict[str, str]:
    """Variables for a worker that inherits these very descriptors."""
    return {DOORS_VARIABLE: ",".join(str(each.fileno()) for each in doors)}


def _listening(descriptor: int) -> socket.socket:
    try:
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - its only signature
        door = socket.socket(fileno=descriptor)
    except OSError as wrong:
        raise StartError(f"inherited descriptor {descriptor}: {wrong.strerror}") from None
    is_tcp = door.family in (socket.AF_INET, socket.AF_INET6) and door.type == socket.SOCK_STREAM
    if not is_tcp or not door.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        door.detach()
        raise StartError(
            f"inherited descriptor {descriptor} is no listening TCP socket "
            "(a .socket unit for the edge has ListenStream=address:port and Accept=no)"
        )
    door.settimeout(0)
    return door
