"""The scanner farm is away, slow, broken or overloaded: nothing is released unscanned.

Rows of the table in docs/failure-stances.md that are about scanners, under both stances.
"""

from collections.abc import AsyncIterator

import grpc
import pytest

from rulebook.defaults import DEFAULT_DOCUMENT
from smtpgated.scan.v1 import scan_pb2
from tests.support.edge import InnerEdge, inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm, fake_farm
from tests.support.fake_scanner import INFECTED, FakeScanner, Step
from tests.support.fake_service import NONSENSE
from tests.support.wire import Wire

HELLO = b"hello\r\n"
LARGE = b"0123456789abcde\r\n" * 20_000
"""Above the inline limit of these tests: it goes as a stream."""
INLINE = {"scanner": {"inline_octets": 4096}}
HASTY = {"scanner": {"inline_octets": 4096, "deadline_s": 0.3}}
ALL_OPEN = DEFAULT_DOCUMENT.replace('virus = "closed"', 'virus = "open"')

FAILURES = {
    "an error": Step(answer=grpc.StatusCode.INTERNAL),
    "an error at once": Step(after_octets=0, answer=grpc.StatusCode.UNKNOWN),
    "overload everywhere": Step(answer=grpc.StatusCode.RESOURCE_EXHAUSTED),
    "what does not parse": Step(answer=NONSENSE),
    "a verdict without a kind": Step(answer=scan_pb2.Verdict(spent_ms=1).SerializeToString()),
    "a verdict of a kind to come": Step(answer=scan_pb2.Verdict(kind=77).SerializeToString()),  # type: ignore[arg-type]  # on purpose
}


async def deliver(edge: InnerEdge, content: bytes) -> tuple[int, str]:
    async with edge.client() as client:
        await client.greeted()
        reply = await client.deliver(content)
        return reply.code, reply.text[:5]


@pytest.fixture
async def edge(farm: FakeFarm) -> AsyncIterator[InnerEdge]:
    async with inner_edge(farm, INLINE) as running:
        yield running


@pytest.mark.parametrize("content", [HELLO, LARGE], ids=["one call", "stream"])
async def test_scanner_unreachable(farm: FakeFarm, edge: InnerEdge, content: bytes) -> None:
    await farm.scanner.stop()
    assert await deliver(edge, content) == (451, "4.7.1")
    assert farm.far.message_count == 0
    line = await edge.until_said("transaction", disposition="defer")
    assert line["verdict"] == "unscanned"


@pytest.mark.parametrize("content", [HELLO, LARGE], ids=["one call", "stream"])
@pytest.mark.parametrize("name", FAILURES)
async def test_scanner_answers_with(
    farm: FakeFarm, edge: InnerEdge, name: str, content: bytes
) -> None:
    farm.scanner.always = FAILURES[name]
    assert await deliver(edge, content) == (451, "4.7.1")
    assert farm.far.message_count == 0


@pytest.mark.parametrize("content", [HELLO, LARGE], ids=["one call", "stream"])
async def test_scanner_does_not_answer_in_time(farm: FakeFarm, content: bytes) -> None:
    farm.scanner.always = Step(hold=True)
    async with inner_edge(farm, HASTY) as edge:
        assert await deliver(edge, content) == (451, "4.7.1")
        await eventually(lambda: farm.scanner.holding == 0)
    assert farm.scanner.scans[0].end == "cancelled"
    assert farm.far.message_count == 0


async def test_scanner_stops_reading_in_mid_message(farm: FakeFarm) -> None:
    farm.scanner.always = Step(after_octets=70_000, hold=True)
    content = LARGE * 30
    async with inner_edge(farm, HASTY) as edge:
        assert await deliver(edge, content) == (451, "4.7.1")
    assert farm.far.message_count == 0
    assert farm.far.sessions[0].cut_octets == len(content)


@pytest.mark.parametrize("content", [HELLO, LARGE], ids=["one call", "stream"])
async def test_scanner_killed_while_its_verdict_is_awaited(farm: FakeFarm, content: bytes) -> None:
    farm.scanner.plan.append(Step(hold=True))
    async with (
        Wire(farm.scanner.address) as wire,
        inner_edge(farm, {"scanner": {"target": wire.target}}) as edge,
        edge.client() as client,
    ):
        await client.begun()
        await client.send_octets(content + b".\r\n")
        await eventually(lambda: farm.scanner.holding)
        await wire.cut()
        reply = await client.reply()
        assert (reply.code, reply.text[:5]) == (451, "4.7.1")
        assert (await client.quit()).code == 221
    assert farm.far.message_count == 0


async def test_scanner_killed_in_mid_message(farm: FakeFarm) -> None:
    async with Wire(farm.scanner.address) as wire:
        settings = {"scanner": {"target": wire.target, "inline_octets": 4096}}
        async with inner_edge(farm, settings) as edge, edge.client() as client:
            await client.begun()
            await client.send_octets(LARGE)
            await eventually(lambda: farm.scanner.scans)
            await wire.cut()
            await eventually(lambda: farm.scanner.scans[0].end == "cancelled")
            await client.send_octets(LARGE + b".\r\n")
            assert (await client.reply()).code == 451
            await farm.far.wait_until(lambda: farm.far.sessions[0].closed)
    assert farm.far.message_count == 0
    assert farm.far.sessions[0].cut_octets == 2 * len(LARGE)


async def test_scanner_that_is_back_is_used_again(farm: FakeFarm, edge: InnerEdge) -> None:
    await farm.scanner.stop()
    assert await deliver(edge, HELLO) == (451, "4.7.1")
    await farm.scanner.start()
    outcomes = [await deliver(edge, HELLO)]
    while outcomes[-1][0] != 250 and len(outcomes) < 200:
        outcomes.append(await deliver(edge, HELLO))
    assert outcomes[-1][0] == 250


@pytest.mark.parametrize("content", [HELLO, LARGE], ids=["one call", "stream"])
@pytest.mark.parametrize("name", FAILURES)
async def test_under_stance_open_it_is_released_and_said(name: str, content: bytes) -> None:
    async with fake_farm(rulebook=ALL_OPEN) as farm:
        farm.scanner.always = FAILURES[name]
        async with inner_edge(farm, INLINE) as edge:
            assert (await deliver(edge, content))[0] == 250
            line = await edge.until_said("transaction")
        assert (line["verdict"], line["disposition"]) == ("unscanned", "release")
        assert line["missing"]
        assert farm.far.messages[0].content == content


async def test_a_replica_that_is_overloaded_leaves_the_message_to_another(farm: FakeFarm) -> None:
    farm.scanner.always = Step(answer=grpc.StatusCode.RESOURCE_EXHAUSTED)
    async with FakeScanner() as other:
        target = f"ipv4:127.0.0.1:{farm.scanner.port},127.0.0.1:{other.port}"
        async with inner_edge(farm, {"scanner": {"target": target}}) as edge:
            for _ in range(6):
                assert (await deliver(edge, HELLO))[0] == 250
        assert len(other.scans) == 6
    assert farm.scanner.scans, "round robin never came to the one that is overloaded"


async def test_a_replica_that_is_away_leaves_the_message_to_another(farm: FakeFarm) -> None:
    await farm.scanner.stop()
    async with FakeScanner() as other:
        target = f"ipv4:127.0.0.1:{farm.scanner.port},127.0.0.1:{other.port}"
        async with inner_edge(farm, {"scanner": {"target": target}}) as edge:
            for _ in range(6):
                assert (await deliver(edge, HELLO))[0] == 250
        assert len(other.scans) == 6


async def test_a_verdict_that_comes_before_the_end_counts_at_the_end(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    """The scanner need not hear all of a message that is infected at its head."""

    farm.scanner.plan.append(Step(after_octets=1, answer=INFECTED))
    async with edge.client() as client:
        await client.begun()
        await client.send_octets(LARGE)
        await eventually(lambda: farm.scanner.scans and farm.scanner.scans[0].end == "answered")
        await client.send_octets(LARGE * 4 + b".\r\n")
        assert (await client.reply()).code == 550
        await farm.far.wait_until(lambda: farm.far.sessions[0].closed)
    assert farm.far.message_count == 0
    assert farm.far.sessions[0].cut_octets == 5 * len(LARGE)
