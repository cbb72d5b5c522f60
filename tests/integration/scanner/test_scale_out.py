"""Several scanners behind one name, as edges see them: one dies, one is added.

The name is looked up at a name server of the test's own, by gRPC's resolver, and every scanner is
a process at an address of its own (127.0.0.11, .12, …) and the same port, as pods are.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from edge_proxy.clients.scan_client import ScanClient
from lab.messages import clean, eicar_attached
from lab.ports import free_port
from service_kit.grpc_channels import open_channel
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.scan import Verdict, VerdictKind
from tests.integration.scanner.scanner_process import ScannerProcess, scanner_process
from tests.support.eventually import eventually
from tests.support.name_server import NameServer, rdata

NAME: Final = "scanner.farm.example"
SCANS: Final = 1000
AT_ONCE: Final = 16
FIRST: Final = 11
SESSION: Final = SessionRef(
    SessionId("session-1"), EdgeId("edge-1"), Endpoint("192.0.2.1", 1025), Endpoint("192.0.2.2", 25)
)
ENVELOPE: Final = Envelope(b"me", b"a@b.example", (b"c@d.example",))


class Farm:
    """Scanners by their place in the name, and one edge's client."""

    def __init__(self, folder: Path, names: NameServer, port: int, stack: AsyncExitStack) -> None:
        self._folder = folder
        self._names = names
        self._port = port
        self._stack = stack
        self.scanners: list[ScannerProcess] = []
        self.client: ScanClient

    async def add(self) -> ScannerProcess:
        """One more, and its address in the name once it listens."""
        address = f"127.0.0.{FIRST + len(self.scanners)}"
        folder = self._folder / address
        folder.mkdir()
        configuration = (
            f'[listen]\naddress = "{address}:{self._port}"\nconnection_age_s = 1.0\n'
            "[engines.yara]\n"
        )
        scanner = await self._stack.enter_async_context(scanner_process(folder, configuration))
        await scanner.port()
        self.scanners.append(scanner)
        self._names.records.setdefault(NAME, []).append(rdata("A", address))
        return scanner

    async def scan(self, content: bytes) -> Verdict:
        came = asyncio.get_running_loop().create_future()
        feed = self.client.begin(SESSION, 1, frozenset(), "", came.set_result, lambda: None)
        feed.feed(content)
        feed.finish(ENVELOPE, head_only=False)
        verdict: Verdict = await came
        return verdict

    def shares(self) -> list[int]:
        """Scans that each has answered so far."""
        return [len(each.named("scan")) for each in self.scanners]


@pytest.fixture
async def farm(tmp_path: Path) -> AsyncIterator[Farm]:
    port = free_port("127.0.0.1").port
    async with AsyncExitStack() as stack:
        names = await stack.enter_async_context(NameServer())
        names.ttl_s = 0
        made = Farm(tmp_path, names, port, stack)
        tasks = await stack.enter_async_context(Tasks())
        target = f"dns://{names.address}/{NAME}:{port}"
        channel = await stack.enter_async_context(open_channel(target, None))
        made.client = ScanClient(channel, tasks, inline_octets=262_144, deadline_s=30.0)
        yield made


async def scans(farm: Farm, contents: Iterable[bytes]) -> Counter[VerdictKind]:
    """All of them, AT_ONCE at the same time."""
    waiting = iter(contents)
    kinds: Counter[VerdictKind] = Counter()

    async def one_after_another() -> None:
        for content in waiting:
            kinds[(await farm.scan(content)).kind] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_another())
    return kinds


async def test_killing_one_of_three_in_the_middle_of_a_thousand_scans_loses_none(
    farm: Farm,
) -> None:
    for _ in range(3):
        await farm.add()
    good, bad = clean().content, eicar_attached().content

    def contents() -> Iterable[bytes]:
        for number in range(SCANS):
            if number == SCANS // 2:
                farm.scanners[1].process.kill()
            yield bad if number % 10 == 0 else good

    kinds = await scans(farm, contents())
    assert kinds == {VerdictKind.CLEAN: SCANS * 9 // 10, VerdictKind.INFECTED: SCANS // 10}
    assert min(farm.shares()) > SCANS // 10  # the one that died had done its part, too


async def test_one_that_is_added_takes_its_share(farm: Farm) -> None:
    for _ in range(2):
        await farm.add()
    good = clean().content
    assert (await scans(farm, [good] * 100))[VerdictKind.CLEAN] == 100
    added = await farm.add()

    async def the_edge_has_found_it() -> None:
        while not added.named("scan"):
            await scans(farm, [good] * AT_ONCE)

    async with asyncio.timeout(30):
        await the_edge_has_found_it()
    before = farm.shares()
    await scans(farm, [good] * 300)
    await eventually(lambda: sum(farm.shares()) - sum(before) == 300, 10)
    done = [now - then for now, then in zip(farm.shares(), before, strict=True)]
    assert 75 <= done[2] <= 125, done
