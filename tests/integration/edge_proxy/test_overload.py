"""More than a worker takes: 421 at accept, and room again later; before that spam is spared."""

import asyncio
from dataclasses import dataclass

import pytest

from service_kit.addresses import HostPort
from tests.support.edge import Edge, inner_edge
from tests.support.eventually import PATIENCE_S
from tests.support.fake_farm import FakeFarm, fake_farm
from tests.support.fake_scanner import UNSCANNED_WORD
from tests.support.status import metric

SPAM_IS_MISSED = """schema = 1
[scanning]
stances = { virus = "open", spam = "closed" }
"""
TWO = {"limits": {"sessions": 2}}
METRICS = {"listen": "127.0.0.1:0"}


@dataclass
class Machine:
    """What the kernel says of its load."""

    average: float = 0.0


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr("os.getloadavg", lambda: (machine.average, 0.0, 0.0))
    return machine


def refused_by(why: str) -> str:
    return f'edge_overloaded_total{{why="{why}"}}'


def status_of(edge: Edge) -> HostPort:
    return HostPort("127.0.0.1", edge.said("listening")[0]["status_port"])


async def test_overload_is_told_at_accept(farm: FakeFarm) -> None:
    async with inner_edge(farm, TWO) as edge, edge.client() as one, edge.client() as two:
        await one.greeted()
        await two.greeted()
        async with edge.client() as third:
            reply = await third.reply()
            assert (reply.code, reply.text[:5]) == (421, "4.3.2")
            assert await third.rest() == b""
        assert len(farm.far.sessions) == 2
        assert len(farm.policy.opened) == 2

        await two.quit()
        await edge.until_said("session")
        assert (await edge.greeting()).code == 220
        assert (await one.deliver(b"hello\r\n")).code == 250


async def test_sessions_that_are_refused_are_all_counted_and_seldom_logged(farm: FakeFarm) -> None:
    settings = {"limits": {"sessions": 1}, "metrics": METRICS}
    async with inner_edge(farm, settings) as edge, edge.client() as one:
        await one.greeted()
        before = await metric(status_of(edge), refused_by("sessions"))
        for _ in range(3):
            assert (await edge.greeting()).code == 421
        assert await metric(status_of(edge), refused_by("sessions")) == before + 3
        assert len(edge.said("overloaded", why="worker is full", refused=1)) == 1


async def test_a_load_above_the_limit_refuses_until_it_is_well_below(
    farm: FakeFarm, machine: Machine
) -> None:
    settings = {"limits": {"load_average": 4.0}, "metrics": METRICS}
    async with inner_edge(farm, settings) as edge, edge.client() as running:
        await running.greeted()
        machine.average = 4.5
        reply = await edge.until_greeted(421)
        assert reply.text[:5] == "4.3.2"
        assert await metric(status_of(edge), refused_by("load_average")) > 0
        assert (await running.deliver(b"hello\r\n")).code == 250  # what runs goes on
        machine.average = 1.0
        await edge.until_greeted(220)


async def test_spam_scans_are_skipped_first_also_in_sessions_that_run(
    farm: FakeFarm, machine: Machine
) -> None:
    settings = {"limits": {"load_average": 4.0, "skip_spam_load_average": 2.0}, "metrics": METRICS}
    async with inner_edge(farm, settings) as edge, edge.client() as client:
        await client.greeted()
        assert (await client.deliver(b"one\r\n")).code == 250
        machine.average = 3.0
        await _until(edge, 1)
        assert (await client.deliver(b"two\r\n")).code == 250
        async with edge.client() as newcomer:
            await newcomer.greeted()
            assert (await newcomer.deliver(b"three\r\n")).code == 250
        machine.average = 1.0
        await _until(edge, 0)
        assert (await client.deliver(b"four\r\n")).code == 250
    skips = [len(scan.opening.skip) for scan in farm.scanner.scans]
    assert skips == [0, 1, 1, 0]


async def test_what_is_skipped_is_not_missed(machine: Machine) -> None:
    """The scanner says that all are away: the stance of a class that was spared does not bite."""
    machine.average = 3.0
    settings = {"limits": {"skip_spam_load_average": 2.0}, "metrics": METRICS}
    async with (
        fake_farm(rulebook=SPAM_IS_MISSED) as farm,
        inner_edge(farm, settings) as edge,
        edge.client() as client,
    ):
        await _until(edge, 1)
        await client.greeted()
        assert (await client.deliver(UNSCANNED_WORD + b"\r\n")).code == 250
        machine.average = 1.0
        await _until(edge, 0)
        assert (await client.deliver(UNSCANNED_WORD + b"\r\n")).code == 451


async def _until(edge: Edge, spares: int) -> None:
    """The edge has noticed."""
    async with asyncio.timeout(PATIENCE_S):
        while await metric(status_of(edge), "edge_spares_spam") != spares:
            pass
