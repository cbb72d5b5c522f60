"""One edge takes over from another: when it may, when it must not, and what is left behind.

Rows of the table in docs/failure-stances.md that are about a handover.
"""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from service_kit.addresses import HostPort
from tests.support.edge import EdgeProcess, edge_process, settings_for
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm, fake_farm
from tests.support.fake_scanner import Step
from tests.support.free_port import free_port
from tests.support.mail_client import MailClient
from tests.support.processes import is_gone
from tests.support.status import metric, page


@pytest.fixture
def tables(farm: FakeFarm, tmp_path: Path) -> dict[str, Any]:
    return tables_for(farm, tmp_path)


def tables_for(farm: FakeFarm, folder: Path) -> dict[str, Any]:
    listen = {
        "addresses": [f"127.0.0.1:{free_port()}"],
        "handover": str(folder / "edge.sock"),
        "handover_deadline_s": 20.0,
    }
    return settings_for(farm, {"listen": listen, "metrics": {"listen": f"127.0.0.1:{free_port()}"}})


@asynccontextmanager
async def running(tables: dict[str, Any]) -> AsyncIterator[EdgeProcess]:
    async with edge_process(tables) as edge:
        await edge.until_policy_is_there()
        yield edge


async def test_a_message_under_way_ends_at_the_old_edge_and_the_next_begins_at_the_new(
    farm: FakeFarm, tables: dict[str, Any], tmp_path: Path
) -> None:
    farm.scanner.plan.append(Step(hold=True))
    async with running(tables) as old, old.client() as client:
        await client.begun()
        await client.send(b"hello", b".")
        await eventually(lambda: farm.scanner.holding)
        async with running(tables) as new, new.client() as newcomer:
            await newcomer.greeted()
            assert (await newcomer.deliver(b"second\r\n")).code == 250
            farm.scanner.release()
            assert [reply.code for reply in await client.replies(2)] == [250, 421]
            assert await old.wait() == 0
            assert old.said("handed over", process=new.process.pid)
            assert len(new.said("transaction")) == len(old.said("transaction")) == 1
    assert farm.far.message_count == 2
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - the handover socket is gone


async def test_who_has_just_come_may_begin_his_message_at_the_old_edge(
    farm: FakeFarm, tables: dict[str, Any]
) -> None:
    async with running({**tables, "drain_patience_s": 20.0}) as old, old.client() as client:
        await client.greeted()
        async with running(tables):
            assert (await client.deliver(b"hello\r\n")).code == 250
            assert (await client.reply()).code == 421
            assert await old.wait() == 0


async def test_the_status_page_is_the_new_edges_as_soon_as_it_serves(
    farm: FakeFarm, tables: dict[str, Any]
) -> None:
    farm.scanner.plan.append(Step(hold=True))
    where = HostPort.parse(tables["metrics"]["listen"])
    async with running(tables) as old, old.client() as client:
        await client.begun()
        await client.send(b"hello", b".")
        await eventually(lambda: farm.scanner.holding)
        assert await metric(where, "edge_open_sessions") == 1
        async with running(tables):
            assert await metric(where, "edge_open_sessions") == 0
            assert (await page(where, "/readyz"))[0] == 200
            farm.scanner.release()
            assert await old.wait() == 0


async def test_a_tunnel_lives_at_the_old_edge_until_its_deadline(
    farm: FakeFarm, tables: dict[str, Any]
) -> None:
    short = {**tables, "listen": {**tables["listen"], "handover_deadline_s": 1.0}}
    async with running(short) as old, old.client() as client:
        await client.greeted()
        assert (await client.command(b"STARTTLS")).code == 220
        async with running(tables):
            assert old.process.returncode is None
            assert await client.count_rest() == 0
            assert await old.wait() == 0
            assert old.said("session", closed_by="drain", tunnelled=True)


async def test_a_successor_that_is_killed_before_it_is_ready_changes_nothing(
    tmp_path: Path,
) -> None:
    async with fake_farm() as farm:
        tables = tables_for(farm, tmp_path)
        async with running(tables) as old:
            async with fake_farm(rulebook=None) as elsewhere:
                blind = {**tables, "policy": {"target": elsewhere.policy.target}}
                async with edge_process(
                    blind, is_ready=lambda _edge: old.said("handover begun"), may_end=True
                ) as successor:
                    successor.process.kill()
                    await successor.wait()
            await old.until_said("handover given up")
            await delivers(old)
            where = HostPort.parse(tables["metrics"]["listen"])
            assert await metric(where, 'edge_handovers_total{outcome="given_up"}') == 1
            async with running(tables):  # the next one may
                assert await old.wait() == 0


async def test_a_successor_takes_over_from_an_edge_that_is_killed_meanwhile(
    tmp_path: Path,
) -> None:
    async with fake_farm() as farm, fake_farm(rulebook=None) as elsewhere:
        tables = tables_for(farm, tmp_path)
        blind = {**tables, "policy": {"target": elsewhere.policy.target}}
        async with (
            running(tables) as old,
            edge_process(blind, is_ready=lambda _: old.said("handover begun")) as successor,
        ):
            old.process.kill()
            await old.wait()
            waiting = MailClient(HostPort.parse(tables["listen"]["addresses"][0]))
            async with waiting:  # in the queue that nobody closed
                elsewhere.policy.put_rulebook("schema = 1")
                await successor.until_said("listening")
                assert (await waiting.reply()).code == 220


async def test_workers_are_handed_over_together(farm: FakeFarm, tables: dict[str, Any]) -> None:
    two = {**tables, "workers": 2}
    async with (
        edge_process(two, is_ready=lambda edge: len(edge.said("listening")) == 2) as old,
        edge_process(two, is_ready=lambda edge: len(edge.said("listening")) == 2) as new,
    ):
        assert await old.wait() == 0
        assert len(old.said("draining", cause="handed over")) == 3
        await new.until_said("policy stream opened", count=2)
        await delivers(new)
    assert old.stray_lines == new.stray_lines == []


async def test_sighup_starts_a_successor_and_the_service_manager_is_told(
    tables: dict[str, Any], tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(0)
        variables = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        async with edge_process(tables, variables=variables) as old:
            await old.until_policy_is_there()
            assert manager.recv(4096) == b"READY=1"
            old.process.send_signal(signal.SIGHUP)
            successor = (await old.until_said("successor started"))["process"]
            try:
                await old.until_said("handed over", process=successor)
                await eventually(lambda: old.process.returncode is not None)
                await delivers(old)  # at the same address
                assert manager.recv(4096) == f"MAINPID={successor}".encode()
                assert manager.recv(4096) == b"READY=1"
            finally:
                os.kill(successor, signal.SIGTERM)
                await eventually(lambda: is_gone(successor))
        assert manager.recv(4096) == b"STOPPING=1"


async def test_an_upgrade_that_cannot_start_changes_nothing(tables: dict[str, Any]) -> None:
    async with running(tables) as edge:
        spoil_configuration(edge)
        edge.process.send_signal(signal.SIGHUP)
        await edge.until_said("successor ended", code=2)
        await delivers(edge)


def spoil_configuration(edge: EdgeProcess) -> None:
    """The file it was started with is no configuration any more."""
    command = Path(f"/proc/{edge.process.pid}/cmdline").read_text().split("\0")
    Path(command[command.index("-c") + 1]).write_text("nonsense")


async def test_somebody_who_hands_nothing_over_is_a_sentence(
    farm: FakeFarm, tables: dict[str, Any]
) -> None:
    path = tables["listen"]["handover"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as impostor:
        impostor.bind(path)
        impostor.listen()
        impostor.settimeout(0)
        async with edge_process(tables, is_ready=lambda _edge: False, may_end=True) as edge:
            pass
        assert edge.process.returncode == 2
    (sentence,) = edge.stray_lines
    assert sentence.startswith(f"edge-proxy: [listen] handover = {path}: the edge there does not")


async def test_an_inherited_socket_that_nobody_configured_is_a_sentence(
    farm: FakeFarm,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        where = f"127.0.0.1:{other.getsockname()[1]}"
        async with edge_process(
            settings_for(farm), inherits=[other], is_ready=lambda _edge: False, may_end=True
        ) as edge:
            pass
    assert edge.process.returncode == 2
    assert edge.stray_lines == [
        f"edge-proxy: inherited a socket for {where}, which [listen] addresses do not name\n"
    ]


async def delivers(edge: EdgeProcess) -> None:
    """A message goes through whoever listens where this edge does."""
    async with asyncio.timeout(20), edge.client() as client:
        await client.greeted()
        assert (await client.deliver(b"hello\r\n")).code == 250
