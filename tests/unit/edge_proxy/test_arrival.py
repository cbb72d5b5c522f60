"""An arrival: what a client says before anybody knows where to, and how the search may end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from edge_proxy.arrival import MOST_KEPT, Arrival
from edge_proxy.ports import Arrived, Found, Interception, NoDestination, NotFound
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import Endpoint
from tests.support.eventually import eventually, turns
from tests.support.link_pair import Owner, Pair, link_pair

FOUND = Found(Endpoint("192.0.2.1", 4711), Endpoint("198.51.100.2", 25))


@dataclass(slots=True)
class OnCommand:
    """An interception that answers when it is told to."""

    answer: asyncio.Future[Found | NoDestination] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    async def find(self, arrived: Arrived) -> Found:
        result = await self.answer
        if isinstance(result, NoDestination):
            raise result
        return result


class HeaderFirst:
    """Reads a line of its own; what stands behind it is the session's."""

    async def find(self, arrived: Arrived) -> Found:
        octets = b""
        while b"\n" not in octets:
            octets += await arrived.octets()
        arrived.unread(octets.partition(b"\n")[2])
        return FOUND


@dataclass(slots=True)
class Scene:
    """``session`` is who owns the link afterwards, ``results`` what the search ended with."""

    pair: Pair
    session: Owner
    results: list[Found | NoDestination] = field(default_factory=list)

    async def ended(self) -> Found | NoDestination:
        await eventually(lambda: self.results)
        (result,) = self.results
        return result

    async def has_heard(self, octets: bytes) -> None:
        await eventually(lambda: bytes(self.session.octets) == octets)


@asynccontextmanager
async def arrival(interception: Interception, within_s: float = 20.0) -> AsyncIterator[Scene]:
    async with link_pair() as pair, Tasks() as tasks:
        scene = Scene(pair, Owner())

        def over(_arrival: Arrival, result: Found | NoDestination) -> Owner | None:
            scene.results.append(result)
            return scene.session if isinstance(result, Found) else None

        pair.link.hand_over(Arrival(pair.link, interception, within_s, tasks, over))
        yield scene


async def test_what_was_said_early_is_the_sessions() -> None:
    interception = OnCommand()
    async with arrival(interception) as scene:
        await scene.pair.peer_sends(b"EHLO early\r\n")
        await turns(10)
        assert scene.session.told == []
        interception.answer.set_result(FOUND)
        assert await scene.ended() == FOUND
        await eventually(lambda: bytes(scene.session.octets) == b"EHLO early\r\n")
        assert scene.session.told == ["began"]
        await scene.pair.peer_sends(b"NOOP\r\n")
        await eventually(lambda: bytes(scene.session.octets).endswith(b"NOOP\r\n"))


async def test_an_end_that_came_early_is_told_too() -> None:
    interception = OnCommand()
    async with arrival(interception) as scene:
        await scene.pair.peer_sends(b"QUIT\r\n")
        scene.pair.peer.shutdown(1)
        await turns(10)
        interception.answer.set_result(FOUND)
        await eventually(lambda: scene.session.told == ["began", "ended"])
        assert bytes(scene.session.octets) == b"QUIT\r\n"


@pytest.mark.parametrize("header", [b"header\nEHLO\r\n", b"\nEHLO\r\n"])
async def test_octets_behind_a_header_are_the_sessions_however_they_are_cut(header: bytes) -> None:
    for cut in range(len(header) + 1):
        async with arrival(HeaderFirst()) as scene:
            for part in (header[:cut], header[cut:]):
                await scene.pair.peer_sends(part)
                await turns(3)
            await scene.has_heard(b"EHLO\r\n")


async def test_a_header_that_does_not_come_ends_with_the_client() -> None:
    async with arrival(HeaderFirst()) as scene:
        await scene.pair.peer_sends(b"half a hea")
        scene.pair.peer.shutdown(1)
        result = await scene.ended()
        assert isinstance(result, NoDestination)
        assert result.why is NotFound.LEFT


async def test_a_client_that_is_lost_ends_the_search() -> None:
    interception = OnCommand()
    async with arrival(interception) as scene:
        scene.pair.peer.close()
        result = await _after_the_link_is_lost(scene)
        assert isinstance(result, NoDestination)
        assert result.why is NotFound.LEFT


async def _after_the_link_is_lost(scene: Scene) -> Found | NoDestination:
    scene.pair.link._transport.abort()
    return await scene.ended()


async def test_who_does_not_answer_in_time_has_not_answered() -> None:
    async with arrival(OnCommand(), within_s=0.0) as scene:
        result = await scene.ended()
        assert isinstance(result, NoDestination)
        assert result.why is NotFound.NO_ANSWER


async def test_no_destination_is_told_as_it_is() -> None:
    interception = OnCommand()
    nothing = NoDestination(NotFound.UNKNOWN, "never heard of it")
    async with arrival(interception) as scene:
        interception.answer.set_result(nothing)
        assert await scene.ended() is nothing
        assert str(nothing) == "destination unknown: never heard of it"


async def test_an_early_flood_is_bounded() -> None:
    interception = OnCommand()
    async with arrival(interception) as scene, Tasks() as tasks:
        octets = b"x" * 64 * 1024 * 1024
        flood = tasks.spawn(scene.pair.peer_sends(octets), name="flood")
        await eventually(lambda: not scene.pair.link._valve._open)
        await turns(50)
        assert not flood.done(), "somebody reads it all"
        interception.answer.set_result(FOUND)
        await eventually(lambda: len(scene.session.octets) > MOST_KEPT)
