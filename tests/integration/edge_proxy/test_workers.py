"""Several worker processes behind one port: shared, watched, counted together, stopped together."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.edge import EdgeProcess, Tables, edge_process, settings_for
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm, fake_farm
from tests.support.fake_scanner import Step
from tests.support.free_port import free_port
from tests.support.status import metric, page


def two_workers(farm: FakeFarm, overrides: Tables | None = None) -> dict[str, Any]:
    address = f"127.0.0.1:{free_port()}"
    tables = {
        "workers": 2,
        "listen": {"addresses": [address]},
        "metrics": {"listen": "127.0.0.1:0"},
    }
    return settings_for(farm, {**tables, **(overrides or {})})


@asynccontextmanager
async def workers(farm: FakeFarm, overrides: Tables | None = None) -> AsyncIterator[EdgeProcess]:
    async with edge_process(
        two_workers(farm, overrides),
        is_ready=lambda edge: (
            len(edge.said("rulebook in force")) == 2
            and len(edge.said("policy stream opened")) == 2
            and len(edge.said("listening")) == 2
        ),
    ) as edge:
        yield edge


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    """Zombies are as dead as those who are gone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def workers_met(edge: EdgeProcess, farm: FakeFarm) -> set[str]:
    async with edge.client() as client:
        await client.greeted()
        await client.quit()
    return {each.edge_id for each in farm.policy.opened}


async def test_both_workers_get_connections_and_their_metrics_are_one(farm: FakeFarm) -> None:
    async with workers(farm) as edge:
        sessions = 0
        async with asyncio.timeout(30):
            while len(await workers_met(edge, farm)) < 2:
                sessions += 1
        sessions += 1
        await edge.until_said("session", count=sessions)
        status = edge.status_address
        assert await metric(status, 'edge_sessions_total{closed_by="quit"}') == sessions
        assert await metric(status, "edge_open_sessions") == 0
        assert await metric(status, "edge_rulebook_version") == 1


async def test_a_worker_that_is_killed_is_started_again(farm: FakeFarm) -> None:
    async with workers(farm) as edge:
        first, second = children(edge.process.pid)
        os.kill(first, signal.SIGKILL)
        await edge.until_said("worker ended", code=-signal.SIGKILL)
        async with edge.client() as client:
            await client.greeted()
            assert (await client.deliver(b"hello\r\n")).code == 250
        await edge.until_said("listening", count=3)
        await eventually(lambda: len(children(edge.process.pid)) == 2)
        assert second in children(edge.process.pid)
        await eventually_ready(edge, 200)


async def test_sigterm_ends_all_of_them_when_their_messages_are_through(farm: FakeFarm) -> None:
    farm.scanner.always = Step(hold=True)
    async with workers(farm) as edge:
        pids = children(edge.process.pid)
        clients = [edge.client() for _ in range(6)]
        for client in clients:
            await (await client.connect()).begun()
            await client.send(b"hello", b".")
        await eventually(lambda: farm.scanner.holding == len(clients))
        edge.terminate()
        await edge.until_said("draining", count=3)
        farm.scanner.release()
        for client in clients:
            assert [reply.code for reply in await client.replies(2)] == [250, 421]
            client.abort()
        assert await edge.wait() == 0
        assert not any(map(is_alive, pids))
    assert farm.far.message_count == len(clients)
    assert edge.stray_lines == []


async def test_a_second_signal_ends_all_of_them_at_once(farm: FakeFarm) -> None:
    farm.scanner.always = Step(hold=True)
    async with workers(farm) as edge:
        pids = children(edge.process.pid)
        async with edge.client() as client:
            await client.begun()
            await client.send(b"hello", b".")
            await eventually(lambda: farm.scanner.holding)
            edge.terminate()
            await edge.until_said("draining", count=3)
            edge.terminate()
            assert await edge.wait() == 0
            await eventually(lambda: not any(map(is_alive, pids)))
    assert farm.far.message_count == 0


async def test_workers_do_not_outlive_a_supervisor_that_is_killed(farm: FakeFarm) -> None:
    async with workers(farm) as edge:
        pids = children(edge.process.pid)
        edge.process.kill()
        await edge.wait()
        await eventually(lambda: not any(map(is_alive, pids)))


async def test_ready_is_who_has_all_workers_ready() -> None:
    async with (
        fake_farm(rulebook=None) as farm,
        edge_process(
            two_workers(farm), is_ready=lambda edge: len(edge.said("listening")) == 2
        ) as edge,
    ):
        code, why = await page(edge.status_address, "/readyz")
        assert (code, "worker 1" in why, "worker 2" in why) == (503, True, True)
        farm.policy.put_rulebook("schema = 1")
        await eventually_ready(edge, 200)


async def eventually_ready(edge: EdgeProcess, code: int) -> None:
    async with asyncio.timeout(30):
        while (await page(edge.status_address, "/readyz"))[0] != code:
            pass


@pytest.mark.parametrize("count", [1, 2])
async def test_a_port_that_is_taken_is_one_sentence(farm: FakeFarm, count: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        tables = settings_for(farm, {"workers": count, "listen": {"addresses": [where]}})
        async with edge_process(tables, is_ready=lambda _edge: False, may_end=True) as edge:
            assert await edge.wait() == 2
    assert edge.stray_lines == [f"edge-proxy: cannot listen on {where}: Address already in use\n"]
