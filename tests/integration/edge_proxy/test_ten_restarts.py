"""Ten restarts while customers send: no message lost, doubled or cut, no connection refused."""

import itertools
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from lab.far_server import FarPlan, FarServer
from service_kit.addresses import HostPort
from tests.support.edge import EdgeProcess, edge_process, settings_for
from tests.support.fake_farm import EVERYTHING, FakeFarm, fake_farm
from tests.support.free_port import free_port
from tests.support.mail_senders import MailSenders, mail_senders, subject_of

RESTARTS: Final = 10
SENDERS: Final = 4
MESSAGES: Final = 1_000
REMEMBERS_ALL: Final = FarPlan(keywords=EVERYTHING, keep=100_000)
ORDINARY: Final = {"drain_patience_s": 2.0}


@pytest.fixture
async def farm() -> AsyncIterator[FakeFarm]:
    async with fake_farm(REMEMBERS_ALL) as fakes:
        yield fakes


def accepts(workers: int, edge: EdgeProcess) -> bool:
    return len(edge.said("listening")) == workers


def check(senders: MailSenders, far: FarServer) -> None:
    assert not senders.failures
    assert len(senders.accepted) >= MESSAGES
    arrived = Counter(subject_of(message.content) for message in far.messages)
    assert arrived == Counter(senders.accepted)
    assert {session.cut_octets for session in far.sessions} == {None}


async def test_by_handover(farm: FakeFarm, tmp_path: Path) -> None:
    """Edges of one worker and, now and then, of two: each gets the doors of the other kind."""
    address = HostPort("127.0.0.1", free_port())
    listen = {"addresses": [str(address)], "handover": str(tmp_path / "edge.sock")}
    metrics = {"listen": f"127.0.0.1:{free_port()}"}
    async with AsyncExitStack() as stack:

        async def next_edge(generation: int) -> EdgeProcess:
            workers = 2 if generation % 4 == 2 else 1
            tables = settings_for(
                farm, {**ORDINARY, "workers": workers, "listen": listen, "metrics": metrics}
            )
            edge = await stack.enter_async_context(
                edge_process(tables, is_ready=lambda edge: accepts(workers, edge))
            )
            await edge.until_said("policy stream opened", count=workers)
            return edge

        edges = [await next_edge(0)]
        async with mail_senders(address, SENDERS) as senders:
            for generation in range(1, RESTARTS + 1):
                edges.append(await next_edge(generation))
                assert await edges[-2].wait() == 0
            await farm.far.wait_for_messages(MESSAGES)
    check(senders, farm.far)
    for before, after in itertools.pairwise(edges):
        assert before.said("handed over")
        assert after.said("taken over")


async def test_by_sigterm_while_the_sockets_are_held(farm: FakeFarm) -> None:
    """As under a service manager: it keeps the socket, and starts the next when one has ended."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as held:
        address = HostPort("127.0.0.1", held.getsockname()[1])
        tables = settings_for(farm, {**ORDINARY, "listen": {"addresses": [str(address)]}})
        async with AsyncExitStack() as last, mail_senders(address, SENDERS) as senders:
            for _ in range(RESTARTS):
                async with edge_process(tables, inherits=[held]) as edge:
                    served = farm.far.message_count
                    await farm.far.wait_for_messages(served + MESSAGES // RESTARTS)
                assert edge.process.returncode == 0
            await last.enter_async_context(edge_process(tables, inherits=[held]))
    check(senders, farm.far)
