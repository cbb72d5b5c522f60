"""Two edges in one process, at both ends of a real handover socket: whose turn it is, and when."""

import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge_proxy.config import EdgeSettings
from edge_proxy.handover import messages
from edge_proxy.handover import succession as module
from edge_proxy.handover.knocker import bound
from edge_proxy.handover.succession import Succession, succession
from edge_proxy.links.listener import address_of
from service_kit.errors import StartError
from service_kit.health import Readiness
from service_kit.lifecycle import Lifecycle
from service_kit.tasks import Tasks
from tests.support.eventually import eventually, turns
from tests.support.free_port import free_port


@pytest.fixture
def settings(tmp_path: Path) -> EdgeSettings:
    listen = {"addresses": [f"127.0.0.1:{free_port()}"], "handover": str(tmp_path / "edge.sock")}
    destination = {"mode": "fixed", "server": "192.0.2.1:25"}
    return EdgeSettings.model_validate({"listen": listen, "destination": destination})


@dataclass
class Life:
    """One edge: where it stands, and what it waits for."""

    place: Succession
    lifecycle: Lifecycle
    readiness: Readiness

    def is_ready(self) -> None:
        self.readiness.set("rulebook", ready=True)

    async def open(self) -> bool:
        return await self.place.open(self.readiness)


@asynccontextmanager
async def life(settings: EdgeSettings) -> AsyncIterator[Life]:
    lifecycle = Lifecycle(signals=())
    async with succession(settings, lifecycle) as place:
        yield Life(place, lifecycle, Readiness("rulebook"))
    lifecycle.close()


async def test_the_first_edge_opens_before_it_is_ready(settings: EdgeSettings) -> None:
    async with life(settings) as first:
        assert await first.open()
        assert address_of(first.place.sessions[0]) == settings.listen.addresses[0]


async def test_the_second_waits_until_it_is_ready_and_then_the_first_drains(
    settings: EdgeSettings,
) -> None:
    async with life(settings) as first, Tasks() as tasks:
        assert await first.open()
        async with life(settings) as second:
            opening = tasks.spawn(second.open(), name="open")
            await turns()
            assert not opening.done()
            assert not first.lifecycle.draining.is_set()
            second.is_ready()
            assert await opening
            await first.lifecycle.wait_drain()
            assert first.place.handed_over
            assert first.lifecycle.drain_remaining_s() > 500  # handover_deadline_s
            await first.place.leave()
            address = settings.listen.addresses[0]
            with socket.create_connection((address.host, address.port)):
                pass


async def test_a_second_that_is_not_ready_in_time_gives_up(
    settings: EdgeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READY_WITHIN_S", 0.01)
    async with life(settings) as first:
        assert await first.open()
        async with life(settings) as second:
            with pytest.raises(StartError, match=r"not ready in 0.01 s \(rulebook\)"):
                await second.open()
        await turns()
        assert not first.lifecycle.draining.is_set()
        async with life(settings) as third:
            third.is_ready()
            assert await third.open()


async def test_a_second_that_is_told_to_stop_does_not_open(settings: EdgeSettings) -> None:
    async with life(settings) as first, Tasks() as tasks:
        assert await first.open()
        async with life(settings) as second:
            opening = tasks.spawn(second.open(), name="open")
            second.lifecycle.begin_drain("test")
            assert not await opening
        assert not first.lifecycle.draining.is_set()


async def test_a_first_that_stops_meanwhile_leaves_its_doors_to_the_second(
    settings: EdgeSettings,
) -> None:
    async with Tasks() as tasks, life(settings) as first:
        assert await first.open()
        async with life(settings) as second:
            opening = tasks.spawn(second.open(), name="open")
            await turns()
            await first.place.leave()
            second.is_ready()
            assert await opening
            address = settings.listen.addresses[0]
            with socket.create_connection((address.host, address.port)):
                pass


async def test_a_first_that_says_no_is_not_taken_over_from(settings: EdgeSettings) -> None:
    path = settings.listen.handover
    assert path is not None
    async with Tasks() as tasks:
        with bound(path) as knocker, socket.create_server(("127.0.0.1", 0)) as door:
            asking = tasks.spawn(_asked(settings), name="ask")
            await eventually(lambda: _readable(knocker))
            with knocker.accept()[0] as line:
                messages.say(line, messages.HELLO, door)
                messages.say(line, messages.HELLO, knocker)
                messages.say(line, messages.ALL)
                messages.say(line, messages.NO)
                with pytest.raises(StartError, match=r"does not hand over \(said b'no'\)"):
                    await asking


async def test_a_first_that_ends_while_it_gives_its_doors_away_is_nobody(
    settings: EdgeSettings,
) -> None:
    path = settings.listen.handover
    assert path is not None
    async with Tasks() as tasks:
        with bound(path) as knocker:
            asking = tasks.spawn(_asked(settings), name="ask")
            await eventually(lambda: _readable(knocker))
            with knocker.accept()[0] as line, socket.create_server(("127.0.0.1", 0)) as door:
                messages.say(line, messages.HELLO, door)
        await asking


async def test_who_speaks_another_language_is_not_taken_over_from(settings: EdgeSettings) -> None:
    path = settings.listen.handover
    assert path is not None
    async with Tasks() as tasks:
        with bound(path) as knocker:
            asking = tasks.spawn(_asked(settings), name="ask")
            await eventually(lambda: _readable(knocker))
            with knocker.accept()[0] as line:
                messages.say(line, b"smtp-gated handover 2")
                with pytest.raises(StartError, match="said b'smtp-gated handover 2'"):
                    await asking


async def _asked(settings: EdgeSettings) -> None:
    async with life(settings) as second:
        await second.open()


def _readable(knocker: socket.socket) -> bool:
    return bool(select.select([knocker], [], [], 0)[0])


async def test_the_queue_of_a_given_door_waits_for_the_rulebook_but_not_for_ever(
    settings: EdgeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = settings.listen.addresses[0]
    with socket.create_server((address.host, address.port)) as held:
        monkeypatch.setattr(module, "doors_from_manager", lambda _environ: [held.dup()])
        async with life(settings) as first, Tasks() as tasks:
            opening = tasks.spawn(first.open(), name="open")
            await turns()
            assert not opening.done()
            first.is_ready()
            assert await opening
        monkeypatch.setattr(module, "QUEUE_WAITS_S", 0.01)
        async with life(settings) as second:
            assert await second.open()


async def test_the_socket_of_the_handover_is_gone_with_the_last_edge(
    settings: EdgeSettings,
) -> None:
    path = settings.listen.handover
    assert path is not None
    async with life(settings) as first:
        assert await first.open()
        async with life(settings) as second:
            second.is_ready()
            assert await second.open()
            await first.lifecycle.wait_drain()
            await first.place.leave()
            assert path.is_socket()
    assert not path.exists()
