"""The edges that watch this replica: one bounded queue each.

An edge whose queue is full does not keep up: it is disconnected, comes back and gets a fresh
snapshot. That is cheaper than a queue without bound, and nothing is ever left out in silence.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Final

from policy.core.farm import Announcement, Farm
from policy.grpc_service.updates import snapshot, updates
from policy.metrics import WATCHERS, WATCHERS_OVERRUN
from service_kit.clock import Clock
from smtpgated.policy.v1 import policy_pb2

MOST_UPDATES: Final = 512
"""Messages a watcher may be behind, beyond its snapshot."""


class WatchEnd(Enum):
    """Why a watcher gets no more updates."""

    OVERRUN = auto()
    DRAIN = auto()


class Watcher:
    """Made by ``Watchers.joined``."""

    __slots__ = ("_ended", "_queue", "_snapshot", "_woken")

    def __init__(self) -> None:
        self._snapshot: Iterator[policy_pb2.WatchUpdate] = iter(())
        self._queue: list[policy_pb2.WatchUpdate] = []
        self._ended: WatchEnd | None = None
        self._woken = asyncio.Event()

    async def next(self) -> list[policy_pb2.WatchUpdate] | WatchEnd:
        """Whatever has gathered, in order; waits for at least one. A snapshot comes one by one."""
        await self._woken.wait()
        if self._ended is not None:
            return self._ended
        for update in self._snapshot:
            return [update]
        self._woken.clear()
        gathered, self._queue = self._queue, []
        return gathered

    def begin(self, snapshot: Iterator[policy_pb2.WatchUpdate]) -> None:
        """Everything anew, in the place of what waits: changes are absolute, and it has them."""
        if self._ended is None:
            self._snapshot = snapshot
            self._queue = []
            self._woken.set()

    def put(self, fresh: list[policy_pb2.WatchUpdate]) -> None:
        if self._ended is not None:
            return
        if len(self._queue) + len(fresh) > MOST_UPDATES:
            WATCHERS_OVERRUN().inc()
            self.end(WatchEnd.OVERRUN)
            return
        self._queue += fresh
        self._woken.set()

    def end(self, why: WatchEnd) -> None:
        self._ended = why
        self._snapshot = iter(())
        self._queue.clear()
        self._woken.set()


class Watchers:
    """Everybody who watches here."""

    def __init__(self, farm: Farm, clock: Clock) -> None:
        self._farm = farm
        self._clock = clock
        self._watchers: dict[Watcher, str] = {}
        self._draining = False

    @contextmanager
    def joined(self, edge_id: str) -> Iterator[Watcher]:
        """A watcher whose first updates are the snapshot. What changes later comes after it:
        there is no await between the two."""
        watcher = Watcher()
        watcher.begin(snapshot(self._farm, self._clock.unix_ms()))
        self._watchers[watcher] = edge_id
        WATCHERS().set(len(self._watchers))
        if self._draining:
            watcher.end(WatchEnd.DRAIN)
        try:
            yield watcher
        finally:
            del self._watchers[watcher]
            WATCHERS().set(len(self._watchers))

    def announce(self, announcement: Announcement) -> None:
        """Queue a change for everybody."""
        if announcement.locks_anew:
            for watcher in self._watchers:
                watcher.begin(snapshot(self._farm, self._clock.unix_ms()))
        elif self._watchers:
            fresh = list(updates(announcement))
            for watcher in self._watchers:
                watcher.put(fresh)

    def edge_ids(self) -> list[str]:
        """Who watches now."""
        return list(self._watchers.values())

    def drain(self) -> None:
        """Everybody is sent to another replica."""
        self._draining = True
        for watcher in self._watchers:
            watcher.end(WatchEnd.DRAIN)
