"""One process's place in the row of edges: after its predecessor, before its successor.

Errors: StartError, when an address is taken, or a predecessor is there and does not leave.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Sequence
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

_LOG: Final = logging.getLogger(__name__)


class Succession:
    """Made by ``succession``."""

    def __init__(
        self,
        settings: EdgeSettings,
        lifecycle: Lifecycle,
        doors: Doors,
        predecessor: Predecessor | None,
    ) -> None:
        self._settings = settings
        self._lifecycle = lifecycle
        self._path = settings.listen.handover
        self._tasks = Tasks()
        self._doors = doors
        self._predecessor = predecessor
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
        """Returns when we are the ones to accept; False: told to stop before it came to that.

        Without a predecessor that is at once: sessions are told to wait until we are ready.
        """
        if self._predecessor is not None and not await self._follow(self._predecessor, readiness):
            return False
        if self._path is not None:
            self._offer(self._path)
        return True

    def accepting(self) -> None:
        """Sessions are taken from now on: the service manager may know."""
        notify(READY)
        self._tasks.spawn(keep_alive(), name="feed the watchdog")

    async def _follow(self, predecessor: Predecessor, readiness: Readiness) -> bool:
        draining = self._lifecycle.draining
        async with Tasks() as tasks:
            ended = tasks.spawn(predecessor.wait_end(), name="predecessor's end")
            waits = {
                ended,
                tasks.spawn(readiness.wait_ready(), name="readiness"),
                tasks.spawn(draining.wait(), name="drain"),
            }
            done, _ = await asyncio.wait(
                waits, timeout=READY_WITHIN_S, return_when=asyncio.FIRST_COMPLETED
            )
            if ended.done():
                await ended
        if draining.is_set():
            return False
        if not done:
            missing = ", ".join(readiness.reasons)
            raise StartError(f"not ready in {READY_WITHIN_S:g} s ({missing}); the old edge goes on")
        if not ended.done() or ended.cancelled():
            await predecessor.send_away()
        event(_LOG, logging.INFO, "taken over")
        return True

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
        if self._knocker is not None:
            self._knocker.close()
        if self._upgrade is not None:
            self._upgrade.end()
        if not self.handed_over:
            notify(STOPPING)
            if self._upgrade is not None and self._path is not None:
                self._path.unlink(missing_ok=True)


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
    place = Succession(settings, lifecycle, doors, predecessor)
    try:
        yield place
    finally:
        await place.leave()


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
