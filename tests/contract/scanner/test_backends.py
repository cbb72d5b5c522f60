"""Several daemons behind one engine: who is asked, who is left alone, who answers first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from scanner.core import circuit
from scanner.core.content import Content
from scanner.core.verdict import Statement
from scanner.engines.clamd import ClamdEngine, ClamdSettings
from scanner.ports import EngineFailure, FailureReason
from service_kit.addresses import UnixOrTcp
from tests.contract.scanner import doubles
from tests.contract.scanner.doubles import Double, Script
from tests.contract.scanner.test_engines import CLEAN, CONTEXT
from tests.support.eventually import eventually

NOWHERE = UnixOrTcp(path="/nonexistent/clamd.ctl")


@asynccontextmanager
async def clamds(
    *scripts: Script, also: tuple[UnixOrTcp, ...] = (), hedge_after_s: float | None = None
) -> AsyncIterator[tuple[ClamdEngine, list[Double]]]:
    async with AsyncExitStack() as stack:
        twins = [await stack.enter_async_context(doubles.double(each)) for each in scripts]
        addresses = (*(each.address for each in twins), *also)
        engine = ClamdEngine(
            ClamdSettings(address=addresses, connections=8, hedge_after_s=hedge_after_s)
        )
        stack.push_async_callback(engine.aclose)
        yield engine, twins


async def scan(engine: ClamdEngine, within_s: float = 60.0) -> tuple[Statement, ...]:
    deadline = asyncio.get_running_loop().time() + within_s
    async with asyncio.timeout_at(deadline):
        return await engine.scan(Content.of(CLEAN), CONTEXT, deadline)


async def test_the_one_with_the_least_to_do_is_asked() -> None:
    going_on = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await doubles.asked(reader)
        await going_on.wait()
        writer.write(b"1: stream: OK\0")
        await reader.read()

    async with clamds(slow, slow) as (engine, twins), asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(scan(engine))
        await eventually(lambda: [each.connections for each in twins] == [3, 3])
        going_on.set()


@pytest.mark.parametrize("bad", [doubles.clamd_closing, doubles.garbage])
async def test_another_is_asked_when_one_fails_as_a_daemon(bad: Script) -> None:
    async with clamds(bad, doubles.clamd) as (engine, _):
        for _ in range(10):
            assert await scan(engine)


async def test_another_is_asked_when_one_is_not_there() -> None:
    async with clamds(doubles.clamd, also=(NOWHERE,)) as (engine, _):
        results = await asyncio.gather(*(scan(engine) for _ in range(20)))
        assert len(results) == 20


async def test_what_a_daemon_refuses_is_not_asked_of_another() -> None:
    refusing = doubles.clamd_answering(b"1: stream: No memory ERROR\0")
    async with clamds(refusing, refusing) as (engine, twins):
        with pytest.raises(EngineFailure) as failed:
            await scan(engine)
        assert failed.value.reason is FailureReason.REFUSED
        assert sum(each.connections for each in twins) == 1


async def test_all_away_is_the_failure_of_the_last() -> None:
    async with clamds(also=(NOWHERE, UnixOrTcp(path="/nonexistent/other.ctl"))) as (engine, _):
        with pytest.raises(EngineFailure) as failed:
            await scan(engine)
        assert failed.value.reason is FailureReason.UNREACHABLE


async def test_one_that_fails_again_and_again_is_left_alone_and_then_tried() -> None:
    async with clamds(doubles.clamd_closing) as (engine, twins):
        for _ in range(circuit.FAILURES):
            with pytest.raises(EngineFailure):
                await scan(engine)
        with pytest.raises(EngineFailure, match="again and again"):
            await scan(engine)
        assert twins[0].connections == circuit.FAILURES
        twins[0].becomes(doubles.clamd)
        async with asyncio.timeout(30):
            while True:
                try:
                    assert await scan(engine)
                    break
                except EngineFailure:
                    await asyncio.sleep(0.01)
        assert twins[0].connections == circuit.FAILURES + 1


async def test_a_look_that_is_answered_brings_it_back_at_once() -> None:
    async with clamds(doubles.clamd_closing) as (engine, twins):
        for _ in range(circuit.FAILURES):
            with pytest.raises(EngineFailure):
                await scan(engine)
        twins[0].becomes(doubles.clamd)
        await engine.version()
        assert await scan(engine)


async def test_one_that_hangs_is_left_alone_too() -> None:
    async with clamds(doubles.silent, doubles.clamd) as (engine, twins):
        for _ in range(2 * circuit.FAILURES):
            try:
                await scan(engine, within_s=0.05)
            except TimeoutError:
                continue
        hanging = twins[0].connections
        for _ in range(10):
            assert await scan(engine)
        assert twins[0].connections <= hanging + 1, "but for a trial nobody goes there"


async def test_a_slow_one_is_not_waited_for_when_another_may_be_asked() -> None:
    async with clamds(doubles.silent, doubles.clamd, hedge_after_s=0.01) as (engine, twins):
        for _ in range(4):
            assert await scan(engine)
        await eventually(twins[0].closed.is_set)


async def test_a_hedge_that_fails_leaves_the_first_its_time() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await doubles.asked(reader)
        await asyncio.sleep(0.1)
        writer.write(b"1: stream: OK\0")
        await reader.read()

    async with clamds(slow, doubles.clamd_closing, hedge_after_s=0.001) as (engine, _):
        assert await scan(engine)


async def test_how_many_are_away_is_told() -> None:
    async with clamds(doubles.clamd, also=(NOWHERE,)) as (engine, _):
        version = await engine.version()
        assert (version.text, version.away) == ("ClamAV 0.0.1", 1)
