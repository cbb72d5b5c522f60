"""What replicas of a group agree on, over a real Valkey and over its twin."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from scanner.cache.redis_link import RedisLink
from scanner.signatures import farm as farms
from scanner.signatures.farm import Farm, InRedis
from scanner.signatures.presence import Presence
from scanner.signatures.troubles import Troubles
from service_kit.failures import Unavailable
from service_kit.health import Readiness
from tests.contract.policy.valkey import Valkey
from tests.support.eventually import eventually
from tests.unit.scanner.signatures.fakes import Group, Member

Join = Callable[[], Farm]


@pytest.fixture
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    yield server
    server.stop()


def in_redis(valkey: Valkey, group: str = "group") -> InRedis:
    return InRedis(RedisLink(valkey.url, 5.0), group)


@pytest.fixture(params=["twin", "redis"])
async def join(request: pytest.FixtureRequest) -> AsyncIterator[Join]:
    """Another replica of one group, each time."""
    if request.param == "twin":
        group = Group()
        yield lambda: Member(group)
        return
    server: Valkey = request.getfixturevalue("valkey")
    joined: list[InRedis] = []

    def another() -> Farm:
        joined.append(in_redis(server))
        return joined[-1]

    yield another
    for each in joined:
        await each.aclose()


async def until(ask: Callable[[], Awaitable[object]], wanted: object) -> None:
    async with asyncio.timeout(30):
        while await ask() != wanted:  # noqa: ASYNC110 - another replica, or Redis, changes it
            await asyncio.sleep(0.01)


async def heard_by(other: Farm, count: int) -> None:
    await until(lambda: other.beat(serving=False), wanted=count)


async def test_a_turn_is_of_one_at_a_time_until_he_gives_it(join: Join) -> None:
    one, other = join(), join()
    assert await one.take_turn()
    assert await one.take_turn(), "it is his already"
    assert not await other.take_turn()
    await other.give_turn()
    assert not await other.take_turn(), "it was not his to give"
    await one.give_turn()
    assert await other.take_turn()


async def test_a_beat_says_how_many_others_serve(join: Join) -> None:
    one, other, third = join(), join(), join()
    assert await one.beat(serving=True) == 0
    assert await one.beat(serving=True) == 0
    assert await other.beat(serving=True) == 1
    assert await third.beat(serving=False) == 2
    assert await one.beat(serving=False) == 1
    assert await other.beat(serving=True) == 0


async def test_what_broke_is_known_to_all_until_it_is_forgiven(join: Join) -> None:
    one, other = join(), join()
    assert await other.broken("0123") == ""
    await one.broke("0123", 'it does not tell number 7, "really"')
    assert await other.broken("0123") == 'it does not tell number 7, "really"'
    assert await other.broken("4567") == ""
    await other.forgive("0123")
    assert await one.broken("0123") == ""


async def test_groups_do_not_know_each_other(valkey: Valkey) -> None:
    one, other = in_redis(valkey), in_redis(valkey, "other")
    assert await one.take_turn()
    assert await other.take_turn()
    assert await one.beat(serving=True) == 0
    assert await other.beat(serving=True) == 0
    for each in (one, other):
        await each.aclose()


async def test_who_is_not_heard_of_any_more_loses_turn_and_place(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(farms, "TURN_S", 0.05)
    monkeypatch.setattr(farms, "BELIEVED_S", 0.05)
    killed, other = in_redis(valkey), in_redis(valkey)
    assert await killed.take_turn()
    await killed.beat(serving=True)
    await until(other.take_turn, wanted=True)
    await until(lambda: other.beat(serving=True), wanted=0)
    for each in (killed, other):
        await each.aclose()


async def test_nonsense_in_redis_is_an_error_of_redis_or_nothing(valkey: Valkey) -> None:
    farm, link = in_redis(valkey), RedisLink(valkey.url, 5.0)
    for key in ("turn", "serving", "broken:0123"):
        await link.run("LPUSH", f"smtpgated:signatures:{{group}}:{key}", "nonsense")
    with pytest.raises(Unavailable):
        await farm.take_turn()
    with pytest.raises(Unavailable):
        await farm.beat(serving=True)
    with pytest.raises(Unavailable):
        await farm.broken("0123")
    await link.run("DEL", "smtpgated:signatures:{group}:broken:0123")
    await link.run("SET", "smtpgated:signatures:{group}:broken:0123", b"\xff" * 100_000)
    assert len(await farm.broken("0123")) < 5000
    await farm.aclose()
    await link.aclose()


async def test_a_replica_is_heard_of_again_when_redis_is_back(
    valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    async with aclosing(in_redis(valkey)) as ours, aclosing(in_redis(valkey)) as other:
        presence = Presence(ours, Readiness(), Troubles())
        assert await presence.say() == 0
        valkey.kill()
        assert await presence.say() is None
        assert await presence.say() is None
        assert caplog.messages == ["signatures without their farm"]
        valkey.start()
        await until(presence.say, wanted=0)
        await heard_by(other, 1)


async def test_the_group_hears_at_once_that_a_replica_does_not_serve(valkey: Valkey) -> None:
    readiness, farm, other = Readiness(), in_redis(valkey), in_redis(valkey)
    telling = asyncio.get_running_loop().create_task(Presence(farm, readiness, Troubles()).run())
    await heard_by(other, 1)
    readiness.set("signatures", ready=False)
    await heard_by(other, 0)
    readiness.set("signatures", ready=True)
    await heard_by(other, 1)
    telling.cancel()
    await eventually(telling.done)
    for each in (farm, other):
        await each.aclose()
