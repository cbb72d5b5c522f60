"""Where the farm's keys are: asked in doubt, and again from time to time."""

import asyncio

import pytest

from policy.store.redis import whereabouts as module
from policy.store.redis.whereabouts import Whereabouts
from service_kit.addresses import HostPort
from service_kit.failures import FailureKind, Unavailable

ONE, OTHER = HostPort("192.0.2.1", 6379), HostPort("192.0.2.2", 6379)
LOST = Unavailable("redis", FailureKind.UNREACHABLE, retryable=True)


class Finder:
    def __init__(self) -> None:
        self.says: HostPort | Unavailable = ONE
        self.asked = 0

    async def master(self) -> HostPort:
        self.asked += 1
        await asyncio.sleep(0)
        if isinstance(self.says, Unavailable):
            raise self.says
        return self.says


@pytest.fixture
def finder() -> Finder:
    return Finder()


async def test_it_is_asked_for_once_by_many_and_again_only_in_doubt(finder: Finder) -> None:
    whereabouts = Whereabouts(finder)
    assert await asyncio.gather(*(whereabouts.known() for _ in range(20))) == [ONE] * 20
    assert finder.asked == 1
    finder.says = OTHER
    assert await whereabouts.known() == ONE
    whereabouts.doubt()
    assert await whereabouts.known() == OTHER


async def test_while_nobody_knows_every_call_asks(finder: Finder) -> None:
    whereabouts = Whereabouts(finder)
    finder.says = LOST
    for _ in range(2):
        with pytest.raises(Unavailable):
            await whereabouts.known()
    finder.says = ONE
    assert await whereabouts.known() == ONE


async def test_a_look_finds_a_master_that_moved_without_a_failure(
    finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whereabouts = Whereabouts(finder)
    await whereabouts.known()
    finder.says = OTHER
    await whereabouts.look_again()
    assert await whereabouts.known() == ONE, "it is not time yet"
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0)
    with pytest.raises(Unavailable, match=r"192\.0\.2\.2:6379"):
        await whereabouts.look_again()
    assert await whereabouts.known() == OTHER
    await whereabouts.look_again()


async def test_a_look_that_fails_changes_nothing(
    finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sentinels that are away are no reason to leave a master that answers."""
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0)
    whereabouts = Whereabouts(finder)
    await whereabouts.look_again()
    assert finder.asked == 0, "nobody has asked yet: whoever does will look"
    await whereabouts.known()
    finder.says = LOST
    await whereabouts.look_again()
    assert await whereabouts.known() == ONE
