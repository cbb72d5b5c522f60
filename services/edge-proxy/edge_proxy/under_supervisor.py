"""A worker's end of the two pipes that join it to its supervisor.

On stdin it is told, a line each: ACCEPT, once it may take connections; LEAVE, when a new edge
has taken over and there is time to finish. An end of stdin says that the supervisor is gone,
however that came: then the worker drains, since nobody would stop it any more. On stdout it
says READY, once, when it has seen the rulebook.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Sequence
from typing import Final

from edge_proxy.config import EdgeSettings
from edge_proxy.handover.environment import doors_from_supervisor
from edge_proxy.handover.succession import QUEUE_WAITS_S
from service_kit.health import Readiness
from service_kit.lifecycle import Lifecycle
from service_kit.tasks import Tasks

NUMBER_VARIABLE: Final = "SMTPGATED_WORKER"
ACCEPT: Final = b"accept"
LEAVE: Final = b"leave"
READY: Final = b"ready"

_STDIN, _STDOUT = 0, 1


def worker_number() -> int | None:
    """Which worker this process is, from 1; None: the only one, or the supervisor."""
    number = os.environ.get(NUMBER_VARIABLE)
    return int(number) if number else None


class UnderSupervisor:
    """An ``Entrance`` whose doors belong to the supervisor."""

    status: Final[socket.socket | None] = None  # the supervisor serves the metrics of all

    def __init__(self, settings: EdgeSettings, lifecycle: Lifecycle, tasks: Tasks) -> None:
        self._settings = settings
        self._lifecycle = lifecycle
        self._tasks = tasks
        self._may_accept = asyncio.Event()
        self._heard = b""
        self.sessions: Sequence[socket.socket] = doors_from_supervisor(os.environ)
        asyncio.get_running_loop().add_reader(_STDIN, self._told)

    async def open(self, readiness: Readiness) -> bool:
        """Returns when we may accept; False: told to stop before it came to that."""
        self._tasks.spawn(_tell_when_ready(readiness), name="tell the supervisor")
        async with Tasks() as tasks:
            drain = tasks.spawn(self._lifecycle.wait_drain(), name="drain")
            may_accept = tasks.spawn(self._may_accept.wait(), name="may accept")
            await asyncio.wait({may_accept, drain}, return_when=asyncio.FIRST_COMPLETED)
            # Others may serve the same queue: who could only say 421 does not take from it.
            ready = tasks.spawn(readiness.wait_ready(), name="ready")
            await asyncio.wait(
                {ready, drain}, timeout=QUEUE_WAITS_S, return_when=asyncio.FIRST_COMPLETED
            )
        return not self._lifecycle.draining.is_set()

    def accepting(self) -> None:
        """The supervisor speaks for all of us."""

    async def leave(self) -> None:
        for door in self.sessions:
            door.close()

    def _told(self) -> None:
        octets = os.read(_STDIN, 64)
        self._heard += octets
        *words, self._heard = self._heard.split(b"\n")
        for word in words:
            if word == ACCEPT:
                self._may_accept.set()
            elif word == LEAVE:
                deadline_s = self._settings.listen.handover_deadline_s
                self._lifecycle.begin_drain("handed over", deadline_s)
        if not octets:
            asyncio.get_running_loop().remove_reader(_STDIN)
            self._lifecycle.begin_drain("the supervisor is gone")


async def _tell_when_ready(readiness: Readiness) -> None:
    await readiness.wait_ready()
    with contextlib.suppress(BrokenPipeError):
        os.write(_STDOUT, READY + b"\n")
