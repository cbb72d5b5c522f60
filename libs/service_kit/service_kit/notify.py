"""What the service manager is told, in its own protocol (sd_notify(3), Type=notify).

Where nobody listens (no NOTIFY_SOCKET: a container, a terminal, a test) nothing is said, and a
manager that is gone is no reason to fail: no error leaves this module.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Final

_SOCKET_VARIABLE: Final = "NOTIFY_SOCKET"
_WATCHDOG_VARIABLE: Final = "WATCHDOG_USEC"
_WATCHED_PROCESS_VARIABLE: Final = "WATCHDOG_PID"

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
_ALIVE: Final = "WATCHDOG=1"


def notify(*assignments: str) -> None:
    """Tell the manager these ``NAME=value``, in one datagram."""
    where = os.environ.get(_SOCKET_VARIABLE, "")
    if not where.startswith(("/", "@")):
        return
    address = "\0" + where[1:] if where.startswith("@") else where  # an abstract name
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling,
    ):
        telling.settimeout(0)  # a manager that does not read must not hold up mail
        telling.sendto("\n".join(assignments).encode(), address)


async def keep_alive() -> None:
    """Feed the watchdog for as long as the loop turns; returns at once when there is none."""
    period_s = _watchdog_period_s()
    while period_s is not None:
        notify(_ALIVE)
        await asyncio.sleep(period_s / 2)


def for_a_successor(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that will be the main one: its watchdog is not ours."""
    return {key: value for key, value in environ.items() if key != _WATCHED_PROCESS_VARIABLE}


def for_a_child(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that has nothing to tell the manager."""
    silent = (_SOCKET_VARIABLE, _WATCHDOG_VARIABLE, _WATCHED_PROCESS_VARIABLE)
    return {key: value for key, value in environ.items() if key not in silent}


def _watchdog_period_s() -> float | None:
    """The time after which a silent process is restarted (sd_watchdog_enabled(3))."""
    period = os.environ.get(_WATCHDOG_VARIABLE, "")
    process = os.environ.get(_WATCHED_PROCESS_VARIABLE, str(os.getpid()))
    if not period.isascii() or not period.isdecimal() or process != str(os.getpid()):
        return None
    return int(period) / 1_000_000 or None
