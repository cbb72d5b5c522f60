"""One process's place in the row of edges: after its predecessor, before its successor.

Errors: StartError, when an address is taken, or a predecessor is there and does not leave.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from edge_proxy.config import EdgeSettings
from edge_proxy.handover import knocker
from edge_proxy.handover.doors import Doors, furnish
from edge_proxy.handover.environment import doors_from_manager
from edge_proxy.handover.predecessor import Offer
from edge_proxy.handover.successor import Predecessor, find_predecessor
from edge_proxy.handover.upgrade import Upgrade
from service_kit.errors import StartError
from service_kit.health import Readiness
from service_kit.lifecycle import Lifecycle
from service_kit.logs import event
from service_kit.notify import READY, STOPPING, keep_alive, notify
from service_kit.tasks import Tasks

READY_WITHIN_S: Final = 60.0
"""How long a successor waits for the rulebook while its predecessor still serves."""
QUEUE_WAITS_S: Final = 5.0
"""How long those in a queue wait for the rulebook before they are told to come back."""

_LOG: Final = logging.getLogger(__name__)


class Succession:
    """Made by ``succession``."""

    def __init__(
        self,
        settings: EdgeSettings,
        lifecycle: Lifecycle,
        doors: Doors,
        predecessor: Predecessor | None,
        *,
        given: bool,
    ) -> None:
        """``given``: the doors were not bound here, there may be a queue before them."""
        self._settings = settings
        self._lifecycle = lifecycle
        self._path = settings.listen.handover
        self._tasks = Tasks()
        self._doors = doors
        self._predecessor = predecessor
        self._given = given
        self._knocker = predecessor.knocker if predecessor is not None else None
        self._upgrade: Upgrade | None = None
        self._left = False
        self.handed_over = False
        """Whether a successor has our doors and we only finish what we began."""

    @property
    def sessions(self) -> Sequence[socket.socket]:
        return self._doors.sessions

    @property
    def status(self) -> socket.socket | None:
        return self._doors.status

    async def open(self, readiness: Readiness) -> bool:
        """Returns when it is our turn to accept; False: told to stop before it came to that.

        Where we have just bound nobody has knocked yet, so that is at once; who comes before we
        are ready is told to come back. Doors that were given may have people in their queues.
        """
        draining = self._lifecycle.draining
        if self._predecessor is not None:
            await self._follow(self._predecessor, readiness)
        if self._given:
            await _first_of((readiness.wait_ready(), draining.wait()), QUEUE_WAITS_S)
        if draining.is_set():
            return False
        if self._path is not None:
            self._offer(self._path)
        return True

    def accepting(self) -> None:
        """Sessions are taken from now on: the service manager may know."""
        notify(READY)
        self._tasks.spawn(keep_alive(), name="feed the watchdog")

    async def _follow(self, predecessor: Predecessor, readiness: Readiness) -> None:
        """Until it has left, has ended by itself, or we are told to stop."""
        draining = self._lifecycle.draining
        told = (readiness.wait_ready(), predecessor.wait_word(), draining.wait())
        if not await _first_of(told, READY_WITHIN_S):
            missing = ", ".join(readiness.reasons)
            raise StartError(f"not ready in {READY_WITHIN_S:g} s ({missing}); the old edge goes on")
        if draining.is_set():
            return
        if not predecessor.has_ended():
            await predecessor.send_away()
        event(_LOG, logging.INFO, "taken over")

    def _offer(self, path: Path) -> None:
        if self._knocker is None:
            self._knocker = knocker.bound(path)
        offer = Offer(self._knocker, self._doors.all(), self._taken)
        self._tasks.spawn(offer.run(), name="handover")
        self._upgrade = Upgrade(self._tasks)
        self._upgrade.begin()

    def _taken(self) -> None:
        self.handed_over = True
        self._lifecycle.begin_drain("handed over", self._settings.listen.handover_deadline_s)

    async def leave(self) -> None:
        """Accept nothing more. What a successor has goes on; what is only ours is gone."""
        if self._left:
            return
        self._left = True
        self._doors.close()
        await self._tasks.aclose()
        if self._predecessor is not None:
            self._predecessor.close()
        if self._upgrade is not None:
            self._upgrade.end()
        if not self.handed_over:
            notify(STOPPING)
            if self._upgrade is not None and self._path is not None:
                self._path.unlink(missing_ok=True)  # while it is ours: who comes binds his own
        if self._knocker is not None:
            self._knocker.close()


@asynccontextmanager
async def succession(settings: EdgeSettings, lifecycle: Lifecycle) -> AsyncIterator[Succession]:
    """The doors of ``settings``, from whoever has them."""
    path = settings.listen.handover
    inherited = doors_from_manager(os.environ)
    predecessor = await find_predecessor(path) if path is not None else None
    try:
        doors = _doors(settings, predecessor, inherited)
    except StartError:
        if predecessor is not None:
            predecessor.knocker.close()
            predecessor.close()
        raise
    given = predecessor is not None or bool(inherited)
    place = Succession(settings, lifecycle, doors, predecessor, given=given)
    try:
        yield place
    finally:
        await place.leave()


async def _first_of(waits: Iterable[Coroutine[None, None, object]], within_s: float) -> bool:
    """Whether one of them returned in time; the others are cancelled."""
    async with Tasks() as tasks:
        running = [tasks.spawn(each, name="wait") for each in waits]
        done, _ = await asyncio.wait(running, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


def _doors(
    settings: EdgeSettings, predecessor: Predecessor | None, inherited: list[socket.socket]
) -> Doors:
    if predecessor is not None:
        for each in inherited:
            each.close()
        doors, surplus = furnish(settings, predecessor.doors)
        if surplus:
            event(_LOG, logging.INFO, "no longer listening", at=list(map(str, surplus)))
        return doors
    doors, surplus = furnish(settings, inherited)
    if surplus:
        doors.close()
        unknown = ", ".join(map(str, surplus))
        raise StartError(f"inherited a socket for {unknown}, which [listen] addresses do not name")
    return doors
