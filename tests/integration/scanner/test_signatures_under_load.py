"""Signatures that are replaced again and again while messages are scanned: nobody notices.

Three scanners of one group, as edges reach them, with four clamds behind them that share a folder:
two scanners have one clamd each, one has two.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import grpc.aio
import pytest

from scanner.app import serving
from scanner.config import ScannerSettings
from scanner.core.profile import EngineVersion
from scanner.engines.clamd import ClamdEngine, ClamdSettings
from service_kit.addresses import UnixOrTcp
from service_kit.grpc_channels import open_channel
from service_kit.tasks import Tasks
from smtpgated_contracts.values.scan import VerdictKind
from tests.contract.policy.valkey import Valkey
from tests.integration.scanner.scanner_process import Caller
from tests.support.engines import PeerMissing, RunningClamd, clamd_running, skip_or_fail
from tests.support.eventually import eventually
from tests.support.signatures import put_daily, put_own

REPLACEMENTS: Final = 10
SCANS_A_SECOND: Final = 200
CLEAN: Final = b"Subject: minutes\r\n\r\n" + b"These are the minutes you asked me for.\r\n" * 40
OLD: Final = b"known from the first database on"


def new(number: int) -> bytes:
    return b"known from database number %d on" % number


def replace(folder: Path, number: int) -> None:
    """Odd numbers bring a daily as freshclam does, even ones a signature of the operator's own."""
    known = {f"New{each}": new(each) for each in range(1, number + 1)}
    if number % 2:
        put_daily(folder, 27000 + number, {"Old": OLD, **known})
    else:
        put_own(folder, known)


@pytest.fixture
def clamds(tmp_path: Path) -> Iterator[list[RunningClamd]]:
    """They load from the folder ``signatures``, and never look into it by themselves."""
    folder = tmp_path / "signatures"
    put_daily(folder, 27000, {"Old": OLD})
    settings = (f"DatabaseDirectory {folder}", "SelfCheck 0", "LogClean no")
    with ExitStack() as stack:
        try:
            yield [
                stack.enter_context(clamd_running(tmp_path / f"clamd{number}", *settings))
                for number in range(4)
            ]
        except PeerMissing as why:
            skip_or_fail(why)


@pytest.fixture
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def farm(folder: Path, clamds: list[RunningClamd], valkey: Valkey) -> AsyncIterator[Caller]:
    """Three scanners, and a channel over all of them as an edge has one."""
    shares = clamds[:1], clamds[1:2], clamds[2:]
    async with AsyncExitStack() as stack:
        ports = []
        for share in shares:
            settings = ScannerSettings.model_validate(
                {
                    "listen": {"address": "127.0.0.1:0"},
                    "engines": {"clamd": {"address": [each.address for each in share]}},
                    "signatures": {
                        "database_folder": folder / "signatures",
                        "look_every_s": 0.05,
                        "url": valkey.url,
                        "others_serving": 1,
                    },
                }
            )
            ports.append((await stack.enter_async_context(serving(settings))).port)
        target = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
        yield Caller(await stack.enter_async_context(open_channel(target, None)))


class Load:
    """Scans at a steady rate. ``newest``: the last replacement that all have loaded."""

    def __init__(self, caller: Caller) -> None:
        self.newest = 0
        self.verdicts: Counter[VerdictKind] = Counter()
        self.wrong: list[str] = []
        self._caller = caller

    async def run(self) -> None:
        """Until cancelled; scans under way then come to their end."""
        clock = asyncio.get_running_loop().time
        began, sent = clock(), 0
        async with asyncio.TaskGroup() as group:
            try:
                while True:
                    while sent < (clock() - began) * SCANS_A_SECOND:
                        group.create_task(self._scan(sent))
                        sent += 1
                    await asyncio.sleep(1 / SCANS_A_SECOND)
            except asyncio.CancelledError:
                return

    async def _scan(self, turn: int) -> None:
        content, kind = (
            (CLEAN, VerdictKind.CLEAN),
            (CLEAN + OLD, VerdictKind.INFECTED),
            (CLEAN + new(self.newest), VerdictKind.INFECTED if self.newest else VerdictKind.CLEAN),
        )[turn % 3]
        try:
            verdict = await self._caller.scan(content)
        except grpc.aio.AioRpcError as failure:
            self.wrong.append(str(failure))
            return
        self.verdicts[verdict.kind] += 1
        if verdict.kind is not kind or verdict.missing:
            self.wrong.append(str(verdict))


async def versions(clamds: list[RunningClamd]) -> list[EngineVersion]:
    engines = [
        ClamdEngine(ClamdSettings(address=(UnixOrTcp(path=each.address),))) for each in clamds
    ]
    return [await engine.version() for engine in engines]


async def test_databases_replaced_under_load_lose_no_scan(
    tmp_path: Path, clamds: list[RunningClamd], valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "scanner.signatures")

    def told(what: str) -> list[logging.LogRecord]:
        return [each for each in caplog.records if each.msg == what]

    async with farm(tmp_path, clamds, valkey) as caller, Tasks() as tasks:
        load = Load(caller)
        scanning = tasks.spawn(load.run(), name="load")
        await eventually(lambda: sum(load.verdicts.values()) > 50)
        for number in range(1, REPLACEMENTS + 1):
            replace(tmp_path / "signatures", number)
            all_of_them = number * len(clamds)
            await eventually(lambda: len(told("daemon back")) >= all_of_them)  # noqa: B023 - at once
            load.newest = number
        scanned = sum(load.verdicts.values())
        await eventually(lambda: sum(load.verdicts.values()) > scanned + 50)
        scanning.cancel()
        await scanning
    assert load.wrong == []
    assert set(load.verdicts) == {VerdictKind.CLEAN, VerdictKind.INFECTED}
    assert {each.signatures for each in await versions(clamds)} == {27000 + REPLACEMENTS - 1}
    moves = [each for each in caplog.records if each.msg in ("daemon out", "daemon back")]
    assert [each.msg for each in moves] == ["daemon out", "daemon back"] * (len(moves) // 2)
    assert len(moves) == 2 * REPLACEMENTS * len(clamds)
    assert {vars(each)["fields"]["outcome"] for each in told("daemon back")} == {
        "loaded, and proven"
    }
