"""Ten new databases come under a steady load: three scanners with a clamd each take turns, and no
scan fails, is left unjudged, or is judged by less than the database before.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Final

import pytest

from edge_proxy.clients.scan_client import ScanClient
from lab.messages import EICAR, clean
from service_kit.grpc_channels import open_channel
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.scan import Verdict, VerdictKind
from tests.contract.policy.valkey import Valkey
from tests.integration.scanner.scanner_process import LISTEN, ScannerProcess, scanner_process
from tests.support.engines import PeerMissing, RunningClamd, clamd_running, skip_or_fail
from tests.support.eventually import eventually
from tests.support.signatures import put_own

REPLICAS: Final = 3
REPLACEMENTS: Final = 10
BETWEEN_SCANS_S: Final = 1 / 200
SESSION: Final = SessionRef(
    SessionId("session-1"), EdgeId("edge-1"), Endpoint("192.0.2.1", 1025), Endpoint("192.0.2.2", 25)
)


def edition(number: int) -> dict[str, bytes]:
    """Each knows one worm more than the one before."""
    worms = {f"Worm{each}": worm(each) for each in range(number + 1)}
    return {"Test": EICAR, **worms}


def worm(number: int) -> bytes:
    return b"the body of worm number %04d" % number


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put_own(tmp_path / "signatures", edition(0))
    return tmp_path / "signatures"


@pytest.fixture
def clamds(tmp_path: Path, folder: Path) -> Iterator[list[RunningClamd]]:
    settings = (f"DatabaseDirectory {folder}", "SelfCheck 0")
    with ExitStack() as stack:
        try:
            yield [
                stack.enter_context(clamd_running(tmp_path / f"clamd{number}", *settings))
                for number in range(REPLICAS)
            ]
        except PeerMissing as why:
            skip_or_fail(why)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def scanners(
    tmp_path: Path, folder: Path, clamds: list[RunningClamd], valkey: Valkey
) -> AsyncIterator[list[ScannerProcess]]:
    async with AsyncExitStack() as stack:
        started = []
        for number, clamd in enumerate(clamds):
            place = tmp_path / f"scanner{number}"
            place.mkdir()
            configuration = (
                f'{LISTEN}[engines.clamd]\naddress = "{clamd.address}"\n'
                f'[signatures]\ndatabase_folder = "{folder}"\nlook_every_s = 0.05\n'
                f'url = "{valkey.url}"\nothers_serving = 1\n'
            )
            started.append(await stack.enter_async_context(scanner_process(place, configuration)))
        yield started


class Load:
    """Scans that begin at a steady pace, whatever becomes of those before."""

    def __init__(self, client: ScanClient, tasks: Tasks) -> None:
        self._client = client
        self._tasks = tasks
        self._under_way: set[asyncio.Future[Verdict]] = set()
        self.kinds: Counter[VerdictKind] = Counter()
        self.wrong: list[Verdict] = []

    async def run(self) -> None:
        good, bad = clean().content, b"Subject: x\r\n\r\n" + worm(0)
        count = 0
        while True:
            count += 1
            self._begin(bad if count % 5 == 0 else good, infected=count % 5 == 0)
            await asyncio.sleep(BETWEEN_SCANS_S)

    async def scan(self, content: bytes) -> Verdict:
        came: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        feed = self._client.begin(SESSION, 1, frozenset(), "", came.set_result, lambda: None)
        feed.feed(content)
        feed.finish(Envelope(b"me"), head_only=False)
        return await came

    async def ended(self) -> None:
        await eventually(lambda: not self._under_way, 30)

    def _begin(self, content: bytes, *, infected: bool) -> None:
        expected = VerdictKind.INFECTED if infected else VerdictKind.CLEAN

        def judged(task: asyncio.Future[Verdict]) -> None:
            self._under_way.discard(task)
            verdict = task.result()
            self.kinds[verdict.kind] += 1
            if verdict.kind is not expected or verdict.missing:
                self.wrong.append(verdict)

        task = self._tasks.spawn(self.scan(content), name="scan")
        self._under_way.add(task)
        task.add_done_callback(judged)


def reloads(scanners: list[ScannerProcess]) -> list[int]:
    return [len(each.named("daemon back")) for each in scanners]


def never_two_at_a_time(scanners: list[ScannerProcess]) -> bool:
    """Of the group: by the times of their logs."""
    moments = sorted(
        (event["ts"], step)
        for each in scanners
        for name, step in (("daemon out", 1), ("daemon back", -1))
        for event in each.named(name)
    )
    out, most = 0, 0
    for _, step in moments:
        out += step
        most = max(most, out)
    return most == 1


async def test_ten_databases_under_load_cost_no_scan(
    scanners: list[ScannerProcess], folder: Path
) -> None:
    for each in scanners:
        await eventually(lambda each=each: each.named("signatures in the folder"), 30)  # type: ignore[misc]  # a lambda of now
    ports = [await each.port() for each in scanners]
    target = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
    async with Tasks() as tasks, open_channel(target, None) as channel:
        client = ScanClient(channel, tasks, inline_octets=262_144, deadline_s=30.0)
        load = Load(client, tasks)
        running = tasks.spawn(load.run(), name="load")
        for number in range(1, REPLACEMENTS + 1):
            put_own(folder, edition(number))
            await eventually(lambda number=number: min(reloads(scanners)) >= number, 30)  # type: ignore[misc]  # a lambda of now
        running.cancel()
        await load.ended()
        newest = b"Subject: x\r\n\r\n" + worm(REPLACEMENTS)
        found = [(await load.scan(newest)).kind for _ in range(2 * REPLICAS)]
    assert load.wrong == []
    assert set(load.kinds) == {VerdictKind.CLEAN, VerdictKind.INFECTED}
    assert found == [VerdictKind.INFECTED] * 2 * REPLICAS
    assert never_two_at_a_time(scanners)
    assert all(
        event["outcome"] == "loaded, and proven"
        for each in scanners
        for event in each.named("daemon back")
    )
