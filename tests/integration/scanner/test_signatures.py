"""Real clamds whose databases change, break and are mended; the scanner as a process."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.messages import EICAR
from smtpgated_contracts.values.scan import VerdictKind
from tests.integration.scanner.scanner_process import (
    NOT_SERVING,
    SERVING,
    Caller,
    ScannerProcess,
    scanner,
)
from tests.support.engines import PeerMissing, RunningClamd, clamd_running, skip_or_fail
from tests.support.eventually import eventually
from tests.support.signatures import put_broken, put_daily, put_own

OLD, NEW = b"known from the first database on", b"known from the second one on"
# A daemon that does not load gets this long to show it.
PATIENCE = "look_every_s = 0.05\nreload_deadline_s = 0.5\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put_own(tmp_path / "signatures", {"Old": OLD, "Test": EICAR})
    return tmp_path / "signatures"


@pytest.fixture
def clamds(tmp_path: Path, folder: Path) -> Iterator[list[RunningClamd]]:
    settings = (f"DatabaseDirectory {folder}", "SelfCheck 0")
    with ExitStack() as stack:
        try:
            yield [
                stack.enter_context(clamd_running(tmp_path / name, *settings))
                for name in ("one", "other")
            ]
        except PeerMissing as why:
            skip_or_fail(why)


def tables(clamds: list[RunningClamd], signatures: str) -> str:
    addresses = ", ".join(f'"{each.address}"' for each in clamds)
    return f"[engines.clamd]\naddress = [{addresses}]\n[signatures]\n{signatures}"


def following(folder: Path) -> str:
    return f'database_folder = "{folder}"\n{PATIENCE}'


async def finds(caller: Caller, content: bytes) -> bool:
    verdict = await caller.scan(content)
    assert verdict.missing == ()
    return verdict.kind is VerdictKind.INFECTED


def outcomes(process: ScannerProcess) -> list[str]:
    return [each["outcome"] for each in process.named("daemon back")]


async def test_a_database_nobody_can_load_leaves_the_old_one_in_force_and_stops_the_roll(
    tmp_path: Path, folder: Path, clamds: list[RunningClamd]
) -> None:
    async with scanner(tmp_path, tables(clamds, following(folder))) as (process, caller):
        await eventually(lambda: process.named("signatures in the folder"))
        put_broken(folder)
        await eventually(lambda: process.named("daemon back"))
        assert outcomes(process) == ["not loaded: it goes on with what it had"]
        assert await finds(caller, OLD)
        put_own(folder, {"Old": OLD, "New": NEW, "Test": EICAR})
        await eventually(lambda: len(process.named("daemon back")) == 3)
        assert outcomes(process)[1:] == ["loaded, and proven"] * 2
        assert await finds(caller, NEW)
        # The other one was not given what had broken the first.
        assert len(process.named("daemon out")) == 3


async def test_a_database_that_sees_viruses_everywhere_takes_its_daemon_out_until_it_is_mended(
    tmp_path: Path, folder: Path, clamds: list[RunningClamd]
) -> None:
    async with scanner(tmp_path, tables(clamds[:1], following(folder))) as (process, caller):
        await eventually(lambda: process.named("signatures in the folder"))
        put_own(folder, {"Old": OLD, "Test": EICAR, "Everything": b"is nothing in this message"})
        await eventually(lambda: process.named("daemon stays out"))
        await caller.becomes(NOT_SERVING)
        verdict = await caller.scan(b"any message")
        assert verdict.kind is VerdictKind.UNSCANNED
        put_own(folder, {"Old": OLD, "Test": EICAR})
        await eventually(lambda: process.named("daemon back"))
        await caller.becomes(SERVING)
        assert not await finds(caller, b"there is nothing in this message")


async def test_sighup_reloads_without_a_folder_to_look_into(
    tmp_path: Path, folder: Path, clamds: list[RunningClamd]
) -> None:
    async with scanner(tmp_path, tables(clamds, "")) as (process, caller):
        put_own(folder, {"New": NEW, "Test": EICAR})
        assert not await finds(caller, NEW)
        os.kill(process.process.pid, signal.SIGHUP)
        await eventually(lambda: len(process.named("daemon back")) == 2)
        logs = [tmp_path / name / "clamd.log" for name in ("one", "other")]
        await eventually(lambda: all("Activating" in each.read_text() for each in logs))


async def test_a_daemon_that_began_with_an_older_database_is_behind(
    tmp_path: Path, folder: Path, clamds: list[RunningClamd]
) -> None:
    put_daily(folder, 27501, {"New": NEW})
    async with scanner(tmp_path, tables(clamds, following(folder))) as (process, caller):
        await eventually(lambda: len(process.named("daemon back")) == 2)
        assert await finds(caller, NEW)
        await eventually(lambda: "/27501" in process.named("engine answers")[-1]["version"])


async def test_a_stale_database_is_shown_and_the_scanner_stays_ready(
    tmp_path: Path, folder: Path, clamds: list[RunningClamd]
) -> None:
    put_daily(folder, 1, {"New": NEW})
    settings = f"{following(folder)}stale_after_s = 1\n"
    async with scanner(tmp_path, tables(clamds, settings)) as (process, caller):
        await eventually(lambda: process.named("signatures stale"))
        await caller.becomes(SERVING)
