"""ScanService over a real channel, with engines that do what a test says."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import pytest

from scanner import metrics
from scanner.admission import Admission
from scanner.core.scan_profile import ScanProfiles
from scanner.grpc_service import NAME, ScanLimits, ScanService
from scanner.metrics import EngineName
from scanner.panel import Panel
from service_kit.addresses import HostPort
from service_kit.grpc_server import start_server
from service_kit.health import Readiness
from smtpgated.common.v1 import mail_pb2
from smtpgated.scan.v1 import scan_pb2
from smtpgated.scan.v1.scan_pb2_grpc import (
    ScanServiceStub,
    add_ScanServiceServicer_to_server,
)
from smtpgated_contracts.marshalling.mail import session_to_wire
from smtpgated_contracts.marshalling.scan import verdict_from_wire
from smtpgated_contracts.values.scan import Missing, Verdict, VerdictKind
from tests.support.eventually import eventually
from tests.unit.scanner.fakes import (
    EICAR_FOUND,
    NO_VIRUS,
    PROFILE,
    SESSION,
    SPAM,
    VIRUS,
    FakeEngine,
    hangs,
    states,
)

if TYPE_CHECKING:  # exists in the typed stubs only
    from smtpgated.scan.v1.scan_pb2_grpc import ScanServiceAsyncStub

DEADLINE_S = 30.0
LIMITS = ScanLimits(20.0, 20.0)
PROFILES = ScanProfiles(PROFILE, {"small": replace(PROFILE, content_octets=10)})
OPENING = scan_pb2.ScanOpening(session=session_to_wire(SESSION), transaction=2)


class Serving:
    """A scanner in this process, and calls to it."""

    def __init__(self, admission: Admission, stub: "ScanServiceAsyncStub") -> None:
        self.admission = admission
        self.stub = stub

    async def scan(self, content: bytes, opening: scan_pb2.ScanOpening = OPENING) -> Verdict:
        request = scan_pb2.ScanRequest(opening=opening, content=content)
        return verdict_from_wire(await self.stub.Scan(request, timeout=DEADLINE_S))

    async def stream(self, *parts: scan_pb2.ScanPart) -> Verdict:
        return verdict_from_wire(await self.stub.ScanStream(given(parts), timeout=DEADLINE_S))


async def given(parts: Iterable[scan_pb2.ScanPart]) -> AsyncIterator[scan_pb2.ScanPart]:
    for part in parts:
        yield part


@asynccontextmanager
async def serving(
    *engines: FakeEngine,
    scans: int = 4,
    held_octets: int = 10_000,
    crowded_at: float = 1.0,
    limits: ScanLimits = LIMITS,
) -> AsyncIterator[Serving]:
    admission = Admission(scans, held_octets, crowded_at)
    service = ScanService(Panel(engines, {}), PROFILES, admission, limits)
    register = partial(add_ScanServiceServicer_to_server, service)
    server = await start_server(HostPort("127.0.0.1", 0), None, Readiness(), {NAME: register})
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield Serving(admission, ScanServiceStub(channel))
    await server.stop(0)
    assert (admission.scans, admission.octets) == (0, 0), "something was not given back"


def clamd() -> FakeEngine:
    return FakeEngine("clamd", states(NO_VIRUS), VIRUS)


def opening() -> scan_pb2.ScanPart:
    return scan_pb2.ScanPart(opening=OPENING)


def content(octets: bytes) -> scan_pb2.ScanPart:
    return scan_pb2.ScanPart(content=octets)


def closing() -> scan_pb2.ScanPart:
    envelope = mail_pb2.Envelope(helo=b"me", reverse_path=b"a@b", recipients=[b"c@d"])
    return scan_pb2.ScanPart(closing=scan_pb2.ScanClosing(envelope=envelope, head_only=True))


async def test_content_of_one_request_is_judged() -> None:
    engine = clamd()
    async with serving(engine) as scanner:
        verdict = await scanner.scan(b"a message")
    assert verdict.kind is VerdictKind.CLEAN
    assert engine.seen == [b"a message"]


async def test_under_load_spam_is_missing_and_viruses_are_found() -> None:
    spamd = FakeEngine("spamd", states(NO_VIRUS), SPAM)
    before = metrics.SPARED(EngineName("spamd"))._value.get()
    async with serving(clamd(), spamd, held_octets=1000, crowded_at=0.5) as scanner:
        verdict = await scanner.scan(b"x" * 501)
    assert verdict.kind is VerdictKind.UNSCANNED
    assert verdict.missing == (Missing(SPAM, "spamd: overload, not asked"),)
    assert [each.engine for each in verdict.findings] == ["clamd"]
    assert spamd.seen == []
    assert metrics.SPARED(EngineName("spamd"))._value.get() == before + 1


async def test_content_of_a_stream_is_judged_as_a_whole() -> None:
    engine = FakeEngine("clamd", states(EICAR_FOUND), VIRUS)
    async with serving(engine) as scanner:
        verdict = await scanner.stream(opening(), content(b"a mes"), content(b"sage"), closing())
    assert verdict.kind is VerdictKind.INFECTED
    assert verdict.names == ("Eicar",)
    assert engine.seen == [b"a message"]


async def test_a_class_that_the_opening_skips_is_not_asked_for() -> None:
    engine = clamd()
    skipping = scan_pb2.ScanOpening(
        session=session_to_wire(SESSION), skip=[scan_pb2.ENGINE_CLASS_VIRUS]
    )
    async with serving(engine) as scanner:
        assert (await scanner.scan(b"x", skipping)).kind is VerdictKind.CLEAN
    assert engine.seen == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (scan_pb2.ScanOpening(), "session_id"),
        (
            scan_pb2.ScanOpening(
                session=session_to_wire(SESSION), skip=[scan_pb2.ENGINE_CLASS_UNSPECIFIED]
            ),
            "engine_class",
        ),
        (scan_pb2.ScanOpening(session=session_to_wire(SESSION), profile="strict\n"), "profile"),
    ],
)
async def test_an_opening_that_breaks_the_contract_is_an_invalid_argument(
    wrong: scan_pb2.ScanOpening, field: str
) -> None:
    async with serving(clamd()) as scanner:
        for call in (
            scanner.scan(b"x", wrong),
            scanner.stream(scan_pb2.ScanPart(opening=wrong), content(b"x"), closing()),
        ):
            with pytest.raises(grpc.aio.AioRpcError, match=field) as refused:
                await call
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_stream_that_breaks_the_contract_is_an_invalid_argument() -> None:
    async with serving(clamd()) as scanner:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await scanner.stream(content(b"x"), closing())
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_content_beyond_the_limit_is_unscanned_in_either_call() -> None:
    engines = clamd(), FakeEngine("spamd", states(), SPAM)
    reason = "scanner: content of more than 1000 octets"
    async with serving(*engines) as scanner:
        for verdict in (
            await scanner.scan(b"x" * 1001),
            await scanner.stream(opening(), content(b"x" * 600), content(b"x" * 401), closing()),
        ):
            assert verdict.kind is VerdictKind.UNSCANNED
            assert set(verdict.missing) == {Missing(VIRUS, reason), Missing(SPAM, reason)}
    assert engines[0].seen == []


async def test_the_verdict_on_too_much_content_does_not_wait_for_the_rest_of_it() -> None:
    async with serving(clamd()) as scanner:
        call = scanner.stub.ScanStream(timeout=DEADLINE_S)
        await call.write(opening())
        await call.write(content(b"x" * 1001))
        assert verdict_from_wire(await call).kind is VerdictKind.UNSCANNED


async def test_one_scan_too_many_is_refused_at_once() -> None:
    entered = asyncio.Event()
    async with serving(FakeEngine("clamd", hangs(entered)), scans=1) as scanner:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(scanner.scan(b"x"))
            await entered.wait()
            for call in (scanner.scan(b"x"), scanner.stream(opening(), closing())):
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await call
                assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            running.cancel()
        await eventually(lambda: scanner.admission.scans == 0)


async def test_more_content_than_may_be_held_is_refused_at_once() -> None:
    async with serving(clamd(), held_octets=900) as scanner:
        for call in (
            scanner.scan(b"x" * 901),
            scanner.stream(opening(), content(b"x" * 600), content(b"x" * 301), closing()),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (await scanner.scan(b"x" * 900)).kind is VerdictKind.CLEAN


async def test_a_caller_who_goes_away_frees_the_engine() -> None:
    entered = asyncio.Event()
    engine = FakeEngine("clamd", hangs(entered))
    async with serving(engine) as scanner:
        call = scanner.stub.Scan(scan_pb2.ScanRequest(opening=OPENING, content=b"x"))
        await entered.wait()
        call.cancel()
        await eventually(lambda: engine.given_up == 1 and scanner.admission.scans == 0)


async def test_a_caller_who_goes_away_in_mid_stream_gives_its_place_back() -> None:
    async with serving(clamd()) as scanner:
        call = scanner.stub.ScanStream()
        await call.write(opening())
        await call.write(content(b"x" * 100))
        await eventually(lambda: scanner.admission.octets == 100)
        call.cancel()
        await eventually(lambda: scanner.admission.scans == 0)


async def test_the_verdict_is_there_before_the_callers_deadline() -> None:
    async with serving(FakeEngine("clamd", hangs())) as scanner:
        request = scan_pb2.ScanRequest(opening=OPENING, content=b"x")
        verdict = verdict_from_wire(await scanner.stub.Scan(request, timeout=1.0))
    assert verdict.missing == (Missing(VIRUS, "clamd: no answer in time"),)


async def test_the_scanners_own_deadline_counts_when_the_caller_has_none() -> None:
    limits = ScanLimits(0.05, 20.0)
    async with serving(FakeEngine("clamd", hangs()), limits=limits) as scanner:
        verdict = await scanner.stub.Scan(scan_pb2.ScanRequest(opening=OPENING, content=b"x"))
    assert verdict_from_wire(verdict).kind is VerdictKind.UNSCANNED


async def test_content_that_does_not_arrive_ends_the_call() -> None:
    async with serving(clamd(), limits=ScanLimits(20.0, 0.05)) as scanner:
        call = scanner.stub.ScanStream(timeout=DEADLINE_S)
        await call.write(opening())
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "did not arrive" in (refused.value.details() or "")


async def test_the_profile_of_the_request_applies() -> None:
    small = scan_pb2.ScanOpening(session=session_to_wire(SESSION), profile="small")
    parts = scan_pb2.ScanPart(opening=small), scan_pb2.ScanPart(content=b"x" * 11), closing()
    async with serving(clamd()) as scanner:
        assert (await scanner.scan(b"x" * 11)).kind is VerdictKind.CLEAN
        for verdict in (await scanner.scan(b"x" * 11, small), await scanner.stream(*parts)):
            assert verdict.kind is VerdictKind.UNSCANNED
            assert "more than 10 octets" in verdict.missing[0].reason


async def test_an_unknown_profile_is_named_with_those_there_are() -> None:
    unknown = scan_pb2.ScanOpening(session=session_to_wire(SESSION), profile="strict\n")
    async with serving(clamd()) as scanner:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await scanner.scan(b"x", unknown)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == "profile strict\\x0a is not known; profiles here: small"


async def test_that_it_is_only_a_head_is_told_to_the_engines_either_way() -> None:
    engine = clamd()
    request = scan_pb2.ScanRequest(opening=OPENING, content=b"x", head_only=True)
    async with serving(engine) as scanner:
        await scanner.stub.Scan(request, timeout=DEADLINE_S)
        await scanner.stream(opening(), content(b"x"), closing())
    assert [each.head_only for each in engine.contexts] == [True, True]
