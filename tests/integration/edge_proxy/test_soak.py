"""Thousands of short sessions: no descriptor, no task and no memory is left behind by any."""

import asyncio
from typing import Final

from service_kit.tasks import Tasks
from tests.support.edge import Edge, edge_process, inner_edge, settings_for
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm
from tests.support.fake_scanner import INFECTED_WORD
from tests.support.mail_client import ENVELOPE

WARM: Final = 500
SESSIONS: Final = 2000
AT_ONCE: Final = 16
GROWTH: Final = 4 * 1024 * 1024
"""Octets the process may grow by over all sessions: 2 KiB kept of each would be too much."""
CONTENT: Final = (b"x" * 76 + b"\r\n") * 64


async def one_session(edge: Edge, number: int) -> None:
    """Every way in which a session can end has its turn."""
    async with edge.client() as client:
        if number % 8 == 0:
            return
        await client.greeted()
        if number % 8 == 1:
            await client.deliver(INFECTED_WORD + b"\r\n")
        elif number % 8 == 2:
            for command in (*ENVELOPE, b"DATA"):
                await client.command(command)
            await client.send_octets(CONTENT)
        else:
            assert (await client.deliver(CONTENT)).code == 250
            await client.quit()


async def many_sessions(edge: Edge, count: int) -> None:
    numbers = iter(range(count))

    async def some() -> None:
        for number in numbers:
            await one_session(edge, number)

    async with Tasks() as tasks:
        await asyncio.gather(*(tasks.spawn(some(), name="client") for _ in range(AT_ONCE)))


async def test_thousands_of_sessions_leave_nothing_behind(farm: FakeFarm) -> None:
    async with edge_process(settings_for(farm)) as edge:
        await edge.until_policy_is_there()
        before = edge.descriptors
        await many_sessions(edge, WARM)
        await eventually(lambda: len(edge.said("session")) == WARM)
        await eventually(lambda: edge.descriptors <= before + 2)
        warm = edge.rss_octets
        await many_sessions(edge, SESSIONS)
        await eventually(lambda: len(edge.said("session")) == WARM + SESSIONS)
        await eventually(lambda: edge.descriptors <= before + 2)
        assert edge.rss_octets - warm < GROWTH
        await eventually(lambda: len(farm.policy.closed) == len(farm.policy.opened))
    assert not edge.said("session error")
    assert edge.stray_lines == []


async def test_no_task_outlives_its_session(farm: FakeFarm) -> None:
    async with inner_edge(farm) as edge:
        await many_sessions(edge, 8)
        await edge.until_said("session", count=8)
        await eventually(lambda: not scans_or_connects())
        before = len(asyncio.all_tasks())
        await many_sessions(edge, 200)
        await edge.until_said("session", count=208)
        await eventually(lambda: len(asyncio.all_tasks()) <= before)


def scans_or_connects() -> list[str]:
    """Names of tasks that belong to one session."""
    names = (task.get_name() for task in asyncio.all_tasks())
    return [name for name in names if name in ("scan", "connect upstream")]
