"""Whoever is slow stops whoever sends to him, and memory stays within docs/memory.md.

The edge is a process of its own here: its resident memory is the kernel's word, not ours.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from lab.far_server import NORMAL, FarPlan, Hold, Moment, Say
from service_kit.tasks import Tasks
from tests.support.edge import EdgeProcess, Tables, edge_process, inner_edge, settings_for
from tests.support.fake_farm import EVERYTHING, FakeFarm, fake_farm
from tests.support.fake_scanner import Step
from tests.support.mail_client import ENVELOPE, MailClient
from tests.support.raw_far import raw_far

MEBIBYTE: Final = 1024 * 1024
GROWTH: Final = 8 * MEBIBYTE
LARGE: Final = (b"x" * 76 + b"\r\n") * (50 * MEBIBYTE // 78)
SMALL: Final = (b"x" * 76 + b"\r\n") * (MEBIBYTE // 78)


class Watch:
    """The most resident memory a process has had since it was begun."""

    def __init__(self, edge: EdgeProcess) -> None:
        self._edge: Final = edge
        self.before = self.most = edge.rss_octets

    async def look(self) -> None:
        while True:
            self.most = max(self.most, self._edge.rss_octets)
            await asyncio.sleep(0.02)

    @property
    def growth(self) -> int:
        return self.most - self.before


@asynccontextmanager
async def watched(
    farm: FakeFarm, overrides: Tables | None = None, *, warm: bool = True
) -> AsyncIterator[tuple[EdgeProcess, Watch]]:
    """``warm``: it has relayed and scanned messages of both kinds before it is watched."""
    async with edge_process(settings_for(farm, overrides)) as edge, Tasks() as tasks:
        await edge.until_policy_is_there()
        for content in (b"warm\r\n", SMALL) if warm else ():
            async with edge.client() as client:
                await client.greeted()
                assert (await client.deliver(content)).code == 250
        watch = Watch(edge)
        tasks.spawn(watch.look(), name="memory watch")
        yield edge, watch


async def settled(count: Callable[[], int]) -> int:
    """Wait until a number does not change any more, and return it."""
    same, last = 0, count()
    while same < 50:
        await asyncio.sleep(0.01)
        same = same + 1 if count() == last else 0
        last = count()
    return last


async def stands_still(client: MailClient) -> int:
    """Wait until nobody takes octets from the client any more; how many it could not send."""
    return await settled(lambda: client.unsent_octets)


async def test_a_slow_server_stops_the_client_and_memory_is_bounded() -> None:
    held = {Moment.CONTENT: (NORMAL, Hold())}
    plan = FarPlan(keywords=EVERYTHING, at=held, receive_buffer_octets=65_536)
    async with fake_farm(plan) as farm, watched(farm) as (edge, watch), edge.client() as client:
        await client.greeted()
        assert (await client.deliver(SMALL)).code == 250
        for command in (*ENVELOPE, b"DATA"):
            await client.command(command)
        client.write(LARGE + b".\r\n")
        assert await stands_still(client) > 30 * MEBIBYTE
        assert watch.growth < GROWTH
        farm.far.release()
        assert (await client.reply()).code == 250
        assert farm.far.messages[-1].content == LARGE
        assert farm.scanner.scans[-1].content == LARGE
        assert watch.growth < GROWTH


async def test_a_slow_scanner_stops_the_client_and_memory_is_bounded(farm: FakeFarm) -> None:
    async with watched(farm) as (edge, watch), edge.client() as client:
        farm.scanner.plan.append(Step(after_octets=MEBIBYTE, hold=True))
        await client.begun()
        client.write(LARGE + b".\r\n")
        assert await stands_still(client) > 30 * MEBIBYTE
        assert watch.growth < GROWTH
        farm.scanner.release()
        assert (await client.reply()).code == 250
        assert farm.far.messages[-1].content == LARGE
        assert farm.scanner.scans[-1].content == LARGE
        assert watch.growth < GROWTH


async def test_a_client_that_never_reads_is_stopped_and_others_go_on() -> None:
    plan = FarPlan(keywords=EVERYTHING, at={Moment.NOOP: Say("250 " + "x" * 400)})
    async with fake_farm(plan) as farm, watched(farm) as (edge, watch), edge.client() as client:
        client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await client.greeted()
        client.stop_reading()
        client.write(b"NOOP\r\n" * MEBIBYTE)
        assert await stands_still(client) > MEBIBYTE
        assert watch.growth < GROWTH
        async with edge.client() as other:
            await other.greeted()
            assert (await other.deliver(b"hello\r\n")).code == 250
        assert len(farm.far.sessions[-2].commands) < MEBIBYTE


async def test_a_slow_reader_behind_a_tunnel_stops_the_server(farm: FakeFarm) -> None:
    """Octets of a tunnel are not read, but they are not piled up either."""
    sent: list[int] = []

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        for _ in range(50):
            writer.write(b"x" * MEBIBYTE)
            await writer.drain()
            sent.append(MEBIBYTE)

    async with raw_far(flood) as address:
        settings = {"destination": {"server": str(address)}, "tunnel": {"require_tls": False}}
        async with watched(farm, settings, warm=False) as (edge, watch), edge.client() as client:
            await client.greeted(b"STARTTLS")
            client.stop_reading()
            client.write(b"?")
            await settled(lambda: len(sent))
            assert len(sent) < 30
            assert watch.growth < GROWTH
            client.read_on()
            assert await client.count_rest() == 50 * MEBIBYTE
            assert watch.growth < GROWTH


async def test_a_slow_server_behind_a_tunnel_stops_the_client(farm: FakeFarm) -> None:
    read_on = asyncio.Event()
    heard: list[int] = []

    async def hear(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await read_on.wait()
        while slice_ := await reader.read(MEBIBYTE):
            heard.append(len(slice_))

    async with raw_far(hear) as address:
        settings = {"destination": {"server": str(address)}, "tunnel": {"require_tls": False}}
        async with watched(farm, settings, warm=False) as (edge, watch), edge.client() as client:
            await client.greeted(b"STARTTLS")
            client.write(bytes(50 * MEBIBYTE))
            assert await stands_still(client) > 20 * MEBIBYTE
            assert watch.growth < GROWTH
            read_on.set()
            await client.finish()
            assert await client.rest() == b""
            assert sum(heard) == 50 * MEBIBYTE
            assert watch.growth < GROWTH


async def test_a_client_that_drips_octets_disturbs_nobody(farm: FakeFarm) -> None:
    async with inner_edge(farm) as edge, edge.client() as slow, edge.client() as fast:
        await slow.begun()
        await fast.greeted()
        for octet in b"..a drop at a time\r\n.\r\n":
            await slow.send_octets(bytes((octet,)))
            assert (await fast.deliver(b"hello\r\n")).code == 250
        assert (await slow.reply()).code == 250
    contents = [message.content for message in farm.far.messages]
    assert contents.count(b".a drop at a time\r\n") == 1
    assert contents.count(b"hello\r\n") == len(contents) - 1
