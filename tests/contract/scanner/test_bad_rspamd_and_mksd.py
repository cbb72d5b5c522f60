"""rspamd and mksd that hang, lie, refuse or leave; and a spool that cannot be written."""

import asyncio
import json
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from scanner.core.content import Content
from scanner.engines.mksd import MksdSettings
from scanner.engines.rspamd import RspamdSettings
from scanner.engines.settings import EngineSettings
from scanner.ports import Engine, EngineFailure, FailureReason, ScanContext
from service_kit.addresses import UnixOrTcp
from service_kit.errors import StartError
from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.scan import VerdictKind
from tests.contract.scanner import doubles
from tests.contract.scanner.doubles import Double, Script
from tests.contract.scanner.test_engines import CLEAN, CONTEXT, PROFILE
from tests.support.eventually import eventually

SOFT = {"score": 1.0, "action": "soft reject", "symbols": {}}
SURE = {"score": 0.1, "action": "reject", "symbols": {"SURE": {"score": 0.1}}}


@asynccontextmanager
async def opened(settings: EngineSettings) -> AsyncIterator[Engine]:
    engine = settings.open()
    await engine.start()
    try:
        yield engine
    finally:
        await engine.aclose()


@asynccontextmanager
async def rspamd(script: Script) -> AsyncIterator[tuple[Engine, Double]]:
    async with (
        doubles.double(script) as twin,
        opened(RspamdSettings(address=(twin.address,))) as engine,
    ):
        yield engine, twin


@asynccontextmanager
async def mksd(script: Script, spool: Path) -> AsyncIterator[tuple[Engine, Double]]:
    async with (
        doubles.double(script) as twin,
        opened(MksdSettings(address=(twin.address,), spool_folder=spool)) as engine,
    ):
        yield engine, twin


async def failure(engine: Engine, content: bytes = CLEAN) -> FailureReason:
    with pytest.raises(EngineFailure) as failed:
        await engine.scan(Content.of(content), CONTEXT, asyncio.get_running_loop().time() + 60)
    assert failed.value.detail.isprintable()
    return failed.value.reason


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (doubles.garbage, FailureReason.MALFORMED),
        (doubles.rspamd_answering(b""), FailureReason.LOST),
        (doubles.rspamd_answering(doubles.http(b"pong")), FailureReason.MALFORMED),
        (doubles.rspamd_answering(doubles.http(b"{}")), FailureReason.MALFORMED),
        (doubles.rspamd_answering(doubles.http(b"{}") * 2), FailureReason.MALFORMED),
        (doubles.rspamd_answering(doubles.http(b"{}", "500 Oops")), FailureReason.REFUSED),
        (
            doubles.rspamd_answering(doubles.http(json.dumps(SOFT).encode())),
            FailureReason.REFUSED,
        ),
    ],
)
async def test_what_rspamd_says_badly_is_no_score(script: Script, reason: FailureReason) -> None:
    async with rspamd(script) as (engine, _):
        assert await failure(engine) is reason


async def test_a_score_before_all_of_the_content_is_no_score() -> None:
    async def too_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100_000)
        writer.write(doubles.http(json.dumps(SURE).encode()))
        await writer.drain()
        await reader.readexactly(1 << 30)

    async with rspamd(too_early) as (engine, _):
        assert await failure(engine, b"x" * 16_000_000) is FailureReason.MALFORMED


async def test_an_action_it_is_sure_of_needs_no_score() -> None:
    script = doubles.rspamd_answering(doubles.http(json.dumps(SURE).encode()))
    async with rspamd(script) as (engine, _):
        (said,) = await engine.scan(
            Content.of(CLEAN), CONTEXT, asyncio.get_running_loop().time() + 60
        )
        assert said.kind is VerdictKind.SUSPECT
        assert said.name == "SURE"


async def test_rspamd_is_told_what_is_known_of_the_session() -> None:
    heads: list[bytes] = []

    async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(doubles.http(json.dumps(SURE).encode()))

    source, server = Endpoint("2001:db8::7", 4711), Endpoint("192.0.2.25", 25)
    session = SessionRef(SessionId("s-1"), EdgeId("e"), source, server, "subscriber-17")
    recipients = (b"b@c.example", b"d\r\nUser: root@e.example")
    envelope = Envelope(b"me.example", b"a@b.example", recipients, authenticated=True)
    async with rspamd(listening) as (engine, _):
        context = ScanContext(session, 3, envelope, PROFILE)
        await engine.scan(Content.of(b"hello"), context, asyncio.get_running_loop().time() + 60)
    (head,) = heads
    assert head == (
        b"POST /checkv2 HTTP/1.1\r\nHost: rspamd\r\nIP: 2001:db8::7\r\nHelo: me.example\r\n"
        b"From: <a@b.example>\r\nRcpt: <b@c.example>\r\nRcpt: <d??User: root@e.example>\r\n"
        b"Queue-Id: s-1.3\r\nUser: subscriber-17\r\nContent-Length: 5\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (doubles.garbage, FailureReason.LOST),  # it spoke before it was asked
        (doubles.mksd_answering(b""), FailureReason.LOST),
        (doubles.mksd_answering(b"FOO\n"), FailureReason.MALFORMED),
        (doubles.mksd_answering(b"OK\nOK\n"), FailureReason.MALFORMED),
        (doubles.mksd_answering(b"ERR no such file\n"), FailureReason.REFUSED),
    ],
)
async def test_what_mksd_says_badly_is_no_verdict(
    script: Script, reason: FailureReason, tmp_path: Path
) -> None:
    async with mksd(script, tmp_path) as (engine, _):
        assert await failure(engine) is reason
    assert _all_in(tmp_path) == []


async def test_a_scan_that_is_given_up_leaves_nothing_in_the_spool(tmp_path: Path) -> None:
    async with mksd(doubles.silent, tmp_path) as (engine, twin):
        deadline = asyncio.get_running_loop().time() + 60
        async with asyncio.TaskGroup() as group:
            scan = group.create_task(engine.scan(Content.of(CLEAN), CONTEXT, deadline))
            await eventually(lambda: twin.connections and any(_all_in(tmp_path)))
            scan.cancel()
        await twin.closed.wait()
    assert _all_in(tmp_path) == []


async def test_a_spool_that_cannot_be_written_is_a_failure_of_the_engine(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    async with mksd(doubles.mksd, spool) as (engine, _):
        spool.rmdir()
        assert await failure(engine) is FailureReason.REFUSED


async def test_a_full_spool_is_a_failure_of_the_engine(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    async with mksd(doubles.mksd, tmp_path) as (engine, _):
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
        try:
            assert await failure(engine) is FailureReason.REFUSED
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, before)
    assert _all_in(tmp_path) == []


async def test_without_a_spool_the_scanner_does_not_start(tmp_path: Path) -> None:
    settings = MksdSettings(address=(UnixOrTcp(path="/x"),), spool_folder=tmp_path / "missing")
    with pytest.raises(StartError, match=r"spool_folder .*missing should be a folder"):
        await settings.open().start()


def _all_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())
