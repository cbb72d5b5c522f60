"""Watchers: snapshot first, bounded queues, good ends."""

import asyncio

import pytest

from policy.core.farm import Announcement, Farm, Picture, StoredRulebook
from policy.grpc_service import watching
from policy.grpc_service.watching import WatchEnd, Watcher, Watchers
from service_kit.clock import ManualClock
from smtpgated_contracts.values.policy import Lock


async def read(watcher: Watcher, count: int) -> list[str | None]:
    """The kinds of the next ``count`` updates."""
    kinds: list[str | None] = []
    while len(kinds) < count:
        gathered = await watcher.next()
        assert isinstance(gathered, list)
        kinds += [each.WhichOneof("update") for each in gathered]
    return kinds


PUT = Announcement(put=(Lock("auth:a", "x"),))


@pytest.fixture
def watchers() -> Watchers:
    farm = Farm()
    farm.load(Picture(1, StoredRulebook(1, "schema = 1\n")), 0)
    return Watchers(farm, ManualClock())


async def test_the_snapshot_comes_before_what_changed_after_joining(watchers: Watchers) -> None:
    with watchers.joined("edge-1") as watcher:
        watchers.announce(PUT)
        assert await read(watcher, 3) == ["rulebook", "lock_snapshot", "lock_changes"]


async def test_everything_anew_takes_the_place_of_what_waits(watchers: Watchers) -> None:
    with watchers.joined("edge-1") as watcher:
        assert await read(watcher, 1) == ["rulebook"]
        watchers.announce(PUT)
        watchers.announce(Announcement(locks_anew=True))
        watchers.announce(PUT)
        assert await read(watcher, 3) == ["rulebook", "lock_snapshot", "lock_changes"]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await watcher.next()


async def test_who_does_not_keep_up_is_ended_and_the_others_are_not(
    watchers: Watchers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST_UPDATES", 3)
    with watchers.joined("slow") as slow, watchers.joined("quick") as quick:
        for _ in range(5):
            watchers.announce(PUT)
            assert isinstance(await quick.next(), list)
        assert await slow.next() is WatchEnd.OVERRUN
        watchers.announce(PUT)
        assert await slow.next() is WatchEnd.OVERRUN


async def test_drain_ends_everybody_who_watches_or_comes_later(watchers: Watchers) -> None:
    with watchers.joined("edge-1") as watcher:
        watchers.drain()
        assert await watcher.next() is WatchEnd.DRAIN
    with watchers.joined("edge-2") as late:
        assert await late.next() is WatchEnd.DRAIN


def test_who_left_is_not_listed(watchers: Watchers) -> None:
    with watchers.joined("edge-1"):
        assert watchers.edge_ids() == ["edge-1"]
    assert watchers.edge_ids() == []
