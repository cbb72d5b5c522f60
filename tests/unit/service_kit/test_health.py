import asyncio

from service_kit.health import Readiness
from service_kit.tasks import Tasks


def test_without_parts_a_process_is_ready() -> None:
    assert Readiness().ready


def test_parts_named_at_the_start_are_awaited() -> None:
    readiness = Readiness("policy", "rulebook")
    assert readiness.reasons == {"policy": "not seen yet", "rulebook": "not seen yet"}
    readiness.set("policy", ready=True)
    assert not readiness.ready
    readiness.set("rulebook", ready=True)
    assert readiness.ready
    assert readiness.reasons == {}


def test_a_part_that_is_lost_says_why() -> None:
    readiness = Readiness()
    readiness.set("redis", ready=False, why="connection refused")
    assert readiness.reasons == {"redis": "connection refused"}
    readiness.set("redis", ready=False)
    assert readiness.reasons == {"redis": "not ready"}


async def test_whoever_waits_is_woken_by_a_change_and_only_by_a_change() -> None:
    readiness = Readiness("policy")
    async with Tasks() as running:
        woken = running.spawn(readiness.wait_change(), name="watcher")
        await asyncio.sleep(0)
        readiness.set("policy", ready=False, why="not seen yet")
        readiness.set("redis", ready=True)
        await asyncio.sleep(0)
        assert not woken.done()
        readiness.set("policy", ready=True)
        await woken
