"""A clamd whose disk is full has judged nothing, whatever it says."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.core.content import Content
from scanner.engines.clamd import ClamdEngine, ClamdSettings
from scanner.ports import EngineFailure
from service_kit.addresses import UnixOrTcp
from tests.support.engines import PeerMissing, RunningClamd, clamd_running, skip_or_fail
from tests.support.needs import need_linux, need_root
from tests.unit.scanner.fakes import CONTEXT

MIB = 1024 * 1024


def soon() -> float:
    return asyncio.get_running_loop().time() + 30


@pytest.fixture
def clamd(tmp_path: Path) -> Iterator[RunningClamd]:
    """Its temporary folder has room for one MiB."""
    need_linux("a small file system")
    need_root("a small file system")
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=True)
    try:
        with clamd_running(tmp_path / "clamd", f"TemporaryDirectory {small}") as running:
            yield running
    except PeerMissing as why:
        skip_or_fail(why)
    finally:
        subprocess.run(["umount", small], check=True)


async def test_content_that_does_not_fit_its_disk_is_unjudged(clamd: RunningClamd) -> None:
    engine = ClamdEngine(
        ClamdSettings(address=(UnixOrTcp.parse(clamd.address),), max_octets=64 * MIB)
    )
    try:
        assert (await engine.scan(Content.of(b"small"), CONTEXT, soon()))[0].name == ""
        with pytest.raises(EngineFailure):
            await engine.scan(Content.of(b"x" * 16 * MIB), CONTEXT, soon())
        # And it is asked again when there is room.
        assert (await engine.scan(Content.of(b"small"), CONTEXT, soon()))[0].name == ""
    finally:
        await engine.aclose()
