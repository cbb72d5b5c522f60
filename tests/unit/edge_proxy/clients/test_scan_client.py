"""Content as one call or as a stream, and a verdict for every scan that is not abandoned."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import grpc
import pytest

from edge_proxy.clients.scan_client import (
    BACKLOG_OCTETS,
    KEPT_OCTETS,
    LARGEST_PART_OCTETS,
    PART_OCTETS,
    ScanClient,
)
from edge_proxy.ports import ScanFeed
from service_kit.grpc_channels import open_channel
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.scan import EngineClass, Verdict, VerdictKind
from tests.support.eventually import eventually, turns
from tests.support.fake_scanner import CLEAN, INFECTED, INFECTED_WORD, FakeScanner, Step
from tests.support.samples import session_ref

INLINE = 100_000
ENVELOPE = Envelope(b"me", b"a@customer.example", (b"b@far.example",))

Connect = Callable[..., ScanClient]


@dataclass(slots=True)
class Scan:
    """One scan as a conductor begins it."""

    feed: ScanFeed
    verdicts: list[Verdict] = field(default_factory=list)
    rooms: int = 0


def begin(client: ScanClient, skip: frozenset[EngineClass] = frozenset()) -> Scan:
    scan: list[Scan] = []

    def verdict(said: Verdict) -> None:
        scan[0].verdicts.append(said)

    def room() -> None:
        scan[0].rooms += 1

    scan.append(Scan(client.begin(session_ref(), 1, skip, "strict", verdict, room)))
    return scan[0]


@pytest.fixture
async def connect(tasks: Tasks, scanner: FakeScanner) -> AsyncIterator[Connect]:
    channel = open_channel(scanner.target, None)

    def connected(inline_octets: int = INLINE, deadline_s: float = 30.0) -> ScanClient:
        return ScanClient(channel, tasks, inline_octets=inline_octets, deadline_s=deadline_s)

    yield connected
    await tasks.aclose()
    await channel.close()


@pytest.fixture
def client(connect: Connect) -> ScanClient:
    return connect()


async def whole(client: ScanClient, content: bytes, slice_octets: int = 50_000) -> Verdict:
    """Feed it as a conductor does, with turns between the slices, and wait for the verdict."""
    scan = begin(client)
    for start in range(0, len(content), slice_octets):
        await eventually(lambda: not scan.feed.full)
        scan.feed.feed(content[start : start + slice_octets])
        await asyncio.sleep(0)
    scan.feed.finish(ENVELOPE, head_only=False)
    await eventually(lambda: scan.verdicts)
    await turns()
    assert len(scan.verdicts) == 1
    return scan.verdicts[0]


@pytest.mark.parametrize("size", [0, 1, INLINE - 1, INLINE])
async def test_content_up_to_the_inline_limit_is_one_call(
    client: ScanClient, scanner: FakeScanner, size: int
) -> None:
    assert await whole(client, b"x" * size) == CLEAN
    (seen,) = scanner.scans
    assert not seen.streamed
    assert seen.content == b"x" * size
    assert seen.envelope == ENVELOPE


@pytest.mark.parametrize("size", [INLINE + 1, 10 * INLINE])
async def test_content_above_the_inline_limit_is_a_stream(
    client: ScanClient, scanner: FakeScanner, size: int
) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    assert await whole(client, content) == CLEAN
    (seen,) = scanner.scans
    assert seen.streamed
    assert seen.content == content
    assert seen.envelope == ENVELOPE
    assert all(part >= PART_OCTETS for part in seen.parts[:-1])


@pytest.mark.parametrize("size", [10, 10 * INLINE], ids=["one call", "stream"])
async def test_the_opening_says_whose_it_is_and_what_to_skip(
    client: ScanClient, scanner: FakeScanner, size: int
) -> None:
    scan = begin(client, frozenset({EngineClass.SPAM}))
    scan.feed.feed(b"x" * size)
    scan.feed.finish(ENVELOPE, head_only=True)
    await eventually(lambda: scan.verdicts)
    (seen,) = scanner.scans
    assert seen.opening.profile == "strict"
    assert len(seen.opening.skip) == 1
    assert seen.opening.transaction == 1
    assert seen.opening.session.source.address == "192.0.2.1"
    assert seen.head_only


async def test_slices_that_drip_in_are_gathered_into_parts(
    client: ScanClient, scanner: FakeScanner
) -> None:
    assert await whole(client, b"x" * 500_000, slice_octets=1448) == CLEAN
    (seen,) = scanner.scans
    assert len(seen.parts) <= 500_000 // PART_OCTETS + 1
    assert all(part >= PART_OCTETS for part in seen.parts[:-1])


async def test_no_part_is_larger_than_the_contract_allows(
    connect: Connect, scanner: FakeScanner
) -> None:
    client = connect(inline_octets=3_000_000)
    assert await whole(client, b"x" * 5_000_000, slice_octets=250_000) == CLEAN
    assert max(scanner.scans[0].parts) <= LARGEST_PART_OCTETS
    assert sum(scanner.scans[0].parts) == 5_000_000


async def test_a_scanner_that_does_not_read_fills_the_feed_and_makes_room_again(
    client: ScanClient, scanner: FakeScanner
) -> None:
    scanner.plan.append(Step(after_octets=1, hold=True))
    scan = begin(client)
    scan.feed.feed(b"x" * 2 * INLINE)
    await eventually(lambda: scanner.holding)
    fed = 2 * INLINE
    while not await stays_full(scan):
        scan.feed.feed(b"x" * 60_000)
        fed += 60_000
        assert fed < 100 * BACKLOG_OCTETS
    rooms = scan.rooms
    scanner.release()
    await eventually(lambda: scan.rooms > rooms)
    await eventually(lambda: not scan.feed.full)
    scan.feed.finish(ENVELOPE, head_only=False)
    await eventually(lambda: scan.verdicts == [CLEAN])
    assert len(scanner.scans[0].content) == fed


async def stays_full(scan: Scan) -> bool:
    """Whether gRPC itself takes no more."""
    await turns()
    return scan.feed.full


async def test_an_early_verdict_is_the_verdict_and_ends_the_feeding(
    client: ScanClient, scanner: FakeScanner
) -> None:
    """Again and again, since it races with a write that is under way."""
    for _ in range(100):
        scanner.plan.append(Step(after_octets=1, answer=INFECTED))
        scan = begin(client)
        for _ in range(20):
            scan.feed.feed(b"x" * 120_000)
            await asyncio.sleep(0)
        scan.feed.finish(ENVELOPE, head_only=False)
        await eventually(lambda: scan.verdicts)  # noqa: B023 - asked at once
        assert scan.verdicts == [INFECTED]
        assert not scan.feed.full


async def test_a_feed_that_has_its_verdict_takes_no_more(
    client: ScanClient, scanner: FakeScanner
) -> None:
    scanner.plan.append(Step(after_octets=1, answer=INFECTED))
    scan = begin(client)
    while not scan.verdicts:
        scan.feed.feed(b"x" * PART_OCTETS)
        await asyncio.sleep(0)
    scan.feed.feed(b"x" * 2 * BACKLOG_OCTETS)
    assert not scan.feed.full
    scan.feed.finish(ENVELOPE, head_only=False)
    scan.feed.abandon()
    await turns()
    assert scan.verdicts == [INFECTED]


@pytest.mark.parametrize("size", [10, 10 * INLINE], ids=["one call", "stream"])
async def test_abandon_cancels_the_call_at_the_scanner(
    client: ScanClient, scanner: FakeScanner, size: int
) -> None:
    scanner.plan.append(Step(hold=True))
    scan = begin(client)
    scan.feed.feed(b"x" * size)
    scan.feed.finish(ENVELOPE, head_only=False)
    await eventually(lambda: scanner.holding)
    scan.feed.abandon()
    await eventually(lambda: not scanner.holding)
    assert scanner.scans[0].end == "cancelled"
    await turns()
    assert scan.verdicts == []
    assert not scan.feed.full


async def test_abandon_in_mid_stream_cancels_the_call(
    client: ScanClient, scanner: FakeScanner
) -> None:
    scan = begin(client)
    scan.feed.feed(b"x" * 2 * INLINE)
    await eventually(lambda: scanner.scans)
    scan.feed.abandon()
    await eventually(lambda: scanner.scans[0].end == "cancelled")
    assert scan.verdicts == []


async def test_a_scan_that_never_began_can_be_abandoned(client: ScanClient) -> None:
    scan = begin(client)
    scan.feed.feed(b"x")
    scan.feed.abandon()
    scan.feed.feed(b"x")
    scan.feed.finish(ENVELOPE, head_only=False)
    await turns()
    assert scan.verdicts == []


@pytest.mark.parametrize("size", [10, 10 * INLINE], ids=["one call", "stream"])
async def test_a_scanner_that_hangs_is_unscanned_when_time_is_up(
    connect: Connect, scanner: FakeScanner, size: int
) -> None:
    scanner.plan.append(Step(hold=True))
    verdict = await whole(connect(deadline_s=0.1), b"x" * size)
    assert verdict.kind is VerdictKind.UNSCANNED
    assert {each.engine_class for each in verdict.missing} == set(EngineClass)
    await eventually(lambda: not scanner.holding)


async def test_a_scanner_that_hangs_in_mid_stream_is_unscanned_before_the_end(
    connect: Connect, scanner: FakeScanner
) -> None:
    scanner.plan.append(Step(after_octets=1, hold=True))
    scan = begin(connect(deadline_s=0.1))
    while not scan.verdicts:
        if not scan.feed.full:
            scan.feed.feed(b"x" * 60_000)
        await asyncio.sleep(0.001)
    assert scan.verdicts[0].kind is VerdictKind.UNSCANNED
    assert not scan.feed.full


async def test_the_reason_is_told(client: ScanClient, scanner: FakeScanner) -> None:
    scanner.plan.append(Step(answer=grpc.StatusCode.PERMISSION_DENIED))
    verdict = await whole(client, b"x")
    assert verdict.missing[0].reason == "scanner: we are not allowed to (as planned)"


RETRYABLE = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED]


@pytest.mark.parametrize("code", RETRYABLE)
async def test_one_call_is_tried_again(
    client: ScanClient, scanner: FakeScanner, code: grpc.StatusCode
) -> None:
    scanner.plan.extend([Step(answer=code), Step(answer=code)])
    assert (await whole(client, INFECTED_WORD)).kind is VerdictKind.INFECTED
    assert len(scanner.scans) == 3


async def test_tries_have_an_end(client: ScanClient, scanner: FakeScanner) -> None:
    scanner.always = Step(answer=grpc.StatusCode.UNAVAILABLE)
    assert (await whole(client, b"x")).kind is VerdictKind.UNSCANNED
    assert len(scanner.scans) == 3


async def test_what_will_not_pass_is_not_tried_again(
    client: ScanClient, scanner: FakeScanner
) -> None:
    scanner.always = Step(answer=grpc.StatusCode.INTERNAL)
    assert (await whole(client, b"x")).kind is VerdictKind.UNSCANNED
    assert len(scanner.scans) == 1


@pytest.mark.parametrize("code", RETRYABLE)
async def test_a_stream_that_is_short_still_begins_anew(
    client: ScanClient, scanner: FakeScanner, code: grpc.StatusCode
) -> None:
    scanner.plan.extend([Step(answer=code), Step(answer=code)])
    content = b"x" * 2 * INLINE + INFECTED_WORD
    assert (await whole(client, content)).kind is VerdictKind.INFECTED
    assert len(scanner.scans) == 3
    assert scanner.scans[-1].content == content


async def test_a_stream_that_grew_too_long_to_keep_is_not_tried_again(
    client: ScanClient, scanner: FakeScanner
) -> None:
    scanner.plan.append(Step(answer=grpc.StatusCode.UNAVAILABLE))
    assert (await whole(client, b"x" * (2 * KEPT_OCTETS))).kind is VerdictKind.UNSCANNED
    assert len(scanner.scans) == 1
