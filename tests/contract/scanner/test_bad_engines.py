"""Engines that hang, lie, stammer or leave: always a failure with its reason, never a verdict."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from scanner.core.content import Content
from scanner.engines import pool
from scanner.engines.clamd import ClamdEngine, ClamdSettings
from scanner.engines.spamd import SpamdEngine, SpamdSettings
from scanner.ports import EngineFailure, FailureReason
from service_kit.addresses import HostPort, UnixOrTcp
from tests.contract.scanner import doubles
from tests.contract.scanner.doubles import Double, Script
from tests.contract.scanner.test_engines import CLEAN, CONTEXT
from tests.support.eventually import eventually

LARGE = b"x" * 16_000_000


@asynccontextmanager
async def clamd(script: Script, connections: int = 1) -> AsyncIterator[tuple[ClamdEngine, Double]]:
    async with doubles.double(script) as twin:
        engine = ClamdEngine(ClamdSettings(address=(twin.address,), connections=connections))
        try:
            yield engine, twin
        finally:
            await engine.aclose()


@asynccontextmanager
async def spamd(script: Script) -> AsyncIterator[SpamdEngine]:
    async with doubles.double(script) as twin:
        yield SpamdEngine(SpamdSettings(address=(twin.address,)))


async def failure(engine: ClamdEngine | SpamdEngine, content: bytes = CLEAN) -> FailureReason:
    with pytest.raises(EngineFailure) as failed:
        await engine.scan(Content.of(content), CONTEXT, asyncio.get_running_loop().time() + 60)
    assert failed.value.detail.isprintable()
    return failed.value.reason


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (doubles.clamd_closing, FailureReason.LOST),
        (doubles.garbage, FailureReason.MALFORMED),
        (doubles.clamd_answering(b"2: stream: OK\0"), FailureReason.MALFORMED),
        (doubles.clamd_answering(b"1: stream: OK\0" * 2), FailureReason.MALFORMED),
        (doubles.clamd_answering(b"1: stream: No memory ERROR\0"), FailureReason.REFUSED),
        (
            doubles.clamd_answering(b"1: stream: Heuristics.Limits.Exceeded.MaxFiles FOUND\0"),
            FailureReason.UNFINISHED,
        ),
    ],
)
async def test_what_clamd_says_badly_is_no_verdict(script: Script, reason: FailureReason) -> None:
    async with clamd(script) as (engine, _):
        assert await failure(engine) is reason


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (doubles.clamd_closing_early, FailureReason.LOST),
        (doubles.clamd_at_its_limit, FailureReason.TOO_LARGE),
        (doubles.clamd_clean_too_early, FailureReason.MALFORMED),
        (doubles.garbage, FailureReason.MALFORMED),
    ],
)
async def test_what_clamd_does_in_the_middle_of_the_content_is_no_verdict(
    script: Script, reason: FailureReason
) -> None:
    async with clamd(script) as (engine, _):
        assert await failure(engine, LARGE) is reason


async def test_a_link_that_went_wrong_is_not_used_again() -> None:
    async with clamd(doubles.clamd_answering(b"1: stream: No memory ERROR\0")) as (engine, twin):
        # An ERROR alone leaves the session in order; the double then breaks its numbering.
        assert await failure(engine) is FailureReason.REFUSED
    async with clamd(doubles.clamd_answering(b"nonsense\0")) as (engine, twin):
        for number in (1, 2, 3):
            assert await failure(engine) is FailureReason.MALFORMED
            assert twin.connections == number


async def test_a_session_is_kept_warm_for_the_next_scan() -> None:
    async with clamd(doubles.clamd) as (engine, twin):
        for _ in range(5):
            await engine.scan(Content.of(CLEAN), CONTEXT, asyncio.get_running_loop().time() + 60)
        assert twin.connections == 1


async def test_a_warm_session_that_clamd_has_closed_is_made_anew() -> None:
    left: list[asyncio.StreamWriter] = []

    async def closing_later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left.append(writer)
        await doubles.clamd(reader, writer)

    async with clamd(closing_later) as (engine, twin):
        await engine.scan(Content.of(CLEAN), CONTEXT, asyncio.get_running_loop().time() + 60)
        left[0].close()
        await left[0].wait_closed()
        await eventually(lambda: engine.warm_links == 0)
        await engine.scan(Content.of(CLEAN), CONTEXT, asyncio.get_running_loop().time() + 60)
        assert twin.connections == 2


async def test_a_session_that_idled_for_long_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "IDLE_S", -1.0)
    async with clamd(doubles.clamd) as (engine, twin):
        for _ in range(3):
            await engine.scan(Content.of(CLEAN), CONTEXT, asyncio.get_running_loop().time() + 60)
        assert twin.connections == 3
        assert engine.warm_links == 1


async def test_octets_nobody_asked_for_end_a_warm_session() -> None:
    answered = asyncio.Event()

    async def talkative(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await doubles.asked(reader)
        writer.write(b"1: stream: OK\0")
        await answered.wait()
        writer.write(b"2: stream: OK\0")
        await reader.readexactly(1)

    async with clamd(talkative) as (engine, _):
        await engine.scan(Content.of(CLEAN), CONTEXT, asyncio.get_running_loop().time() + 60)
        assert engine.warm_links == 1
        answered.set()
        await eventually(lambda: engine.warm_links == 0)


@pytest.mark.parametrize("content", [CLEAN, LARGE], ids=["small", "large"])
async def test_a_scan_that_is_given_up_frees_the_engine_at_once(content: bytes) -> None:
    async with clamd(doubles.silent) as (engine, twin):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await engine.scan(
                    Content.of(content), CONTEXT, asyncio.get_running_loop().time() + 60
                )
        async with asyncio.timeout(30):
            await twin.closed.wait()


async def test_nobody_waits_for_a_connection_beyond_his_deadline() -> None:
    async with clamd(doubles.silent) as (engine, twin), asyncio.TaskGroup() as group:
        loop = asyncio.get_running_loop()
        hanging = group.create_task(engine.scan(Content.of(CLEAN), CONTEXT, loop.time() + 60))
        await eventually(lambda: twin.connections == 1)
        with pytest.raises(EngineFailure) as failed:
            await engine.scan(Content.of(CLEAN), CONTEXT, loop.time() + 0.05)
        assert failed.value.reason is FailureReason.BUSY
        hanging.cancel()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (doubles.garbage, FailureReason.MALFORMED),
        (doubles.spamd_answering(b""), FailureReason.LOST),
        (doubles.spamd_answering(b"SPAMD/1.1 0 EX_OK\r\nSpam: Tr"), FailureReason.LOST),
        (doubles.spamd_answering(b"SPAMD/1.0 75 EX_TEMPFAIL\r\n"), FailureReason.REFUSED),
        (
            doubles.spamd_answering(
                b"SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: False ; nan / 5\r\n\r\n"
            ),
            FailureReason.MALFORMED,
        ),
    ],
)
async def test_what_spamd_says_badly_is_no_verdict(script: Script, reason: FailureReason) -> None:
    async with spamd(script) as engine:
        assert await failure(engine) is reason


async def test_an_engine_that_is_not_there_is_unreachable() -> None:
    nowhere = ClamdEngine(ClamdSettings(address=(UnixOrTcp(path="/nonexistent/clamd.ctl"),)))
    assert await failure(nowhere) is FailureReason.UNREACHABLE
    closed = SpamdEngine(SpamdSettings(address=(UnixOrTcp(tcp=HostPort("127.0.0.1", 1)),)))
    assert await failure(closed) is FailureReason.UNREACHABLE
    for engine in (nowhere, closed):
        with pytest.raises(EngineFailure):
            await engine.version()
