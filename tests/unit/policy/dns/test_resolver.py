"""Lookups for many: each once, each asker with a deadline of his own."""

import asyncio

from policy.dns.records import Answer, Kind, Lookup
from service_kit.failures import FailureKind, Unavailable
from tests.contract.policy.samples import soon
from tests.support.eventually import eventually
from tests.unit.policy.dns.known_names import FAILURE, KnownNames, resolver_of

A = Lookup("a.example", Kind.A)
ANSWER = Answer(("192.0.2.1",), 60)


async def test_many_who_ask_for_the_same_ask_once() -> None:
    names = KnownNames({A: ("192.0.2.1",)})
    resolver = resolver_of(names)
    answers = await asyncio.gather(*(resolver.find(A, soon()) for _ in range(50)))
    assert answers == [ANSWER] * 50
    assert resolver.known(A) == ANSWER
    await resolver.find(A, soon())
    assert names.asked == [A]
    await resolver.aclose()


async def test_a_failure_is_everybodys_and_not_asked_for_again_at_once() -> None:
    names = KnownNames({A: FAILURE})
    resolver = resolver_of(names)
    for _ in range(2):
        assert await resolver.find(A, soon()) is FAILURE
    assert names.asked == [A]
    await resolver.aclose()


async def test_a_lookup_that_outlives_its_asker_is_there_for_the_next() -> None:
    names = KnownNames({A: ("192.0.2.1",)})
    names.held.clear()
    resolver = resolver_of(names)
    outcome = await resolver.find(A, asyncio.get_running_loop().time() + 0.01)
    assert isinstance(outcome, Unavailable)
    assert outcome.kind is FailureKind.TIMED_OUT
    assert resolver.known(A) is None
    names.held.set()
    assert await resolver.find(A, soon()) == ANSWER
    assert names.asked == [A]
    await resolver.aclose()


async def test_an_asker_who_leaves_takes_the_lookup_from_nobody() -> None:
    names = KnownNames({A: ("192.0.2.1",)})
    names.held.clear()
    resolver = resolver_of(names)
    async with asyncio.TaskGroup() as askers:
        leaving = askers.create_task(resolver.find(A, soon()))
        staying = askers.create_task(resolver.find(A, soon()))
        await eventually(lambda: names.asked)
        leaving.cancel()
        names.held.set()
    assert staying.result() == ANSWER
    await resolver.aclose()


async def test_beyond_the_bound_a_lookup_fails_at_once_and_later_not() -> None:
    names = KnownNames({})
    names.held.clear()
    resolver = resolver_of(names, most_at_once=2)
    async with asyncio.TaskGroup() as askers:
        for name in ("a", "b"):
            askers.create_task(resolver.find(Lookup(name, Kind.A), soon()))
        await eventually(lambda: len(names.asked) == 2)
        outcome = await resolver.find(Lookup("c", Kind.A), soon())
        assert isinstance(outcome, Unavailable)
        assert outcome.kind is FailureKind.OVERLOADED
        names.held.set()
    assert await resolver.find(Lookup("c", Kind.A), soon()) == Answer((), 60)
    await resolver.aclose()


async def test_closing_ends_what_is_under_way() -> None:
    names = KnownNames({})
    names.held.clear()
    resolver = resolver_of(names)
    async with asyncio.TaskGroup() as askers:
        waiting = askers.create_task(_cancelled(resolver.find(A, soon())))
        await eventually(lambda: names.asked)
        await resolver.aclose()
    assert waiting.result()


async def _cancelled(asking: object) -> bool:
    try:
        await asking  # type: ignore[misc]  # a coroutine
    except asyncio.CancelledError:
        return True
    return False
