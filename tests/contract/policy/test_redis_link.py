"""The way to Redis: lost scripts, deadlines, connections."""

import asyncio
import secrets
from contextlib import suppress

import pytest

from policy.store.redis.keys import Keys
from policy.store.redis.link import RedisLink, call
from policy.store.redis.script_files import PUT_EXEMPTION
from policy.store.redis.store import RedisStore
from service_kit.failures import FailureKind, Unavailable
from tests.contract.policy.samples import opening, soon
from tests.contract.policy.valkey import Valkey


@pytest.fixture
def keys() -> Keys:
    return Keys(secrets.token_hex(4))


async def test_lost_scripts_are_put_back_and_every_question_answered_once(
    valkey: Valkey, keys: Keys
) -> None:
    link = RedisLink(valkey.url, deadline_s=5)
    put = call(PUT_EXEMPTION, (keys.revision, keys.changes, keys.exemptions), 10, "auth:x", "{}")
    for _ in range(2):
        await link.run(("SCRIPT", "FLUSH"))
        before, first, between, second, after = await link.run(
            ("INCR", "before"), put, ("INCR", "between"), put, ("INCR", "after")
        )
        assert second == first + 1
        assert before == between == after
    await link.aclose()


async def test_an_error_of_one_command_is_unavailable_and_the_link_goes_on(
    valkey: Valkey, keys: Keys
) -> None:
    link = RedisLink(valkey.url, deadline_s=5)
    with pytest.raises(Unavailable, match="WRONGTYPE"):
        await link.run(("SET", keys.locks, "text"), ("HGETALL", keys.locks))
    assert await link.run(("ECHO", "well")) == ["well"]
    await link.aclose()


async def test_nobody_there_is_unavailable(tmp_path_factory: pytest.TempPathFactory) -> None:
    link = RedisLink(f"unix://{tmp_path_factory.mktemp('none')}/none.sock", deadline_s=1)
    with pytest.raises(Unavailable) as raised:
        await link.run(("PING",))
    assert raised.value.kind is FailureKind.UNREACHABLE
    await link.aclose()


async def test_a_redis_that_does_not_answer_is_given_up_at_the_deadline(valkey: Valkey) -> None:
    link = RedisLink(valkey.url, deadline_s=0.05)
    other = RedisLink(valkey.url, deadline_s=5)
    await other.run(("CLIENT", "PAUSE", 200, "ALL"))
    with pytest.raises(Unavailable) as raised:
        await link.run(("PING",))
    assert raised.value.kind is FailureKind.TIMED_OUT
    await other.run(("PING",))
    assert await link.run(("ECHO", "well"), deadline=soon()) == ["well"]
    await link.aclose()
    await other.aclose()


async def test_an_answer_that_came_too_late_reaches_nobody_else(valkey: Valkey) -> None:
    """A deadline in the middle of a call: the next call gets its own answer."""
    link = RedisLink(valkey.url, deadline_s=5, most_connections=1)
    loop = asyncio.get_running_loop()
    for number in range(200):
        with suppress(Unavailable):
            await link.run(("ECHO", f"late {number}"), deadline=loop.time() + number / 1e6)
        assert await link.run(("ECHO", f"own {number}")) == [f"own {number}"]
    await link.aclose()


async def test_many_callers_share_a_bounded_number_of_connections(valkey: Valkey) -> None:
    link = RedisLink(valkey.url, deadline_s=20, most_connections=3)
    name = secrets.token_hex(4)

    async def hold() -> None:
        await link.run(("CLIENT", "SETNAME", name), ("PING",))

    async with asyncio.TaskGroup() as callers:
        for _ in range(50):
            callers.create_task(hold())
    (clients,) = await link.run(("CLIENT", "LIST"))
    assert 1 <= str(clients).count(f"name={name}") <= 3
    await link.aclose()


async def test_a_restarted_redis_is_reached_again_without_a_new_store(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    valkey = Valkey(tmp_path_factory.mktemp("restarted"))
    valkey.start()
    store = RedisStore(valkey.url, "farm", deadline_s=5)
    await store.settle([opening("a")], soon())
    valkey.kill()
    with pytest.raises(Unavailable):
        await store.settle([opening("b")], soon())
    valkey.start()
    await store.settle([opening("c")], soon())
    assert (await store.sessions("", 0, 9)).total == 1
    await store.aclose()
    valkey.stop()
