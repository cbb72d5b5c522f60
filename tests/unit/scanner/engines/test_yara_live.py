"""Rules that change while they are in force."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from scanner.core.content import Content
from scanner.engines.yara import YaraEngine, YaraSettings
from scanner.engines.yara_live import LiveRules
from service_kit.errors import StartError
from tests.support.eventually import eventually
from tests.unit.scanner.engines.test_yara_workers import is_gone, soon
from tests.unit.scanner.fakes import CONTEXT

NEVER_S = 3000.0


@asynccontextmanager
async def following(
    file: Path, text: str, every_s: float = NEVER_S
) -> AsyncIterator[tuple[YaraEngine, LiveRules]]:
    """An engine with this one file; looks are the test's to order."""
    put(file, text)
    engine = YaraEngine(YaraSettings(rules=(str(file),), workers=1, rules_every_s=every_s))
    try:
        await engine.start()
        yield engine, engine.rules
    finally:
        await engine.aclose()


def put(file: Path, text: str) -> None:
    file.write_text(text)


def always(name: str) -> str:
    return f"rule {name} {{ condition: true }}"


async def found(engine: YaraEngine) -> str:
    virus, _ = await engine.scan(Content.of(b"x"), CONTEXT, soon())
    return virus.name


async def settle(rules: LiveRules) -> None:
    """Two looks: one sees the change, the other that it is over."""
    await rules.look()
    await rules.look()


async def test_rules_that_changed_are_in_force_and_the_version_says_so(tmp_path: Path) -> None:
    file = tmp_path / "own.yar"
    async with following(file, always("old")) as (engine, rules):
        before = await engine.version()
        (pid,) = rules.workers.pids
        file.write_text(always("new") + always("newer"))
        await settle(rules)
        assert await found(engine) == "new,newer"
        after = await engine.version()
        assert "2 rules" in after.text
        assert after.edition not in ("", before.edition)
        assert after.known != before.known
        await eventually(lambda: is_gone(pid))


async def test_the_looks_come_by_themselves(tmp_path: Path) -> None:
    file = tmp_path / "own.yar"
    async with following(file, always("old"), every_s=0.01) as (engine, rules):
        edition = rules.workers.edition
        file.write_text(always("new"))
        await eventually(lambda: rules.workers.edition != edition)
        assert await found(engine) == "new"


async def test_what_is_still_being_written_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "own.yar"
    async with following(file, always("old")) as (engine, rules):
        for text in ("rule half {", "rule half { condition:", always("whole")):
            file.write_text(text)
            await rules.look()
            assert await found(engine) == "old"
            assert rules.refused == ""
        await rules.look()
        assert await found(engine) == "whole"


@pytest.mark.parametrize(
    ("breaks", "sentence"),
    [
        (lambda file: file.write_text("rule x { condition: unknown }"), "unknown identifier"),
        (lambda file: file.unlink(), "cannot be read: No such file"),
    ],
    ids=["broken", "gone"],
)
async def test_rules_that_cannot_be_used_leave_the_old_ones_in_force(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    breaks: Callable[[Path], object],
    sentence: str,
) -> None:
    file = tmp_path / "own.yar"
    async with following(file, always("old")) as (engine, rules):
        before = await engine.version()
        breaks(file)
        await settle(rules)
        await rules.look()
        assert await found(engine) == "old"
        after = await engine.version()
        assert (after.known, before.refused) == (before.known, "")
        assert sentence in after.refused
        assert str(file) in after.refused
        errors = [each for each in caplog.records if each.levelno == logging.ERROR]
        assert [each.msg for each in errors] == ["yara rules refused"], "told once"
        file.write_text(always("mended"))
        await settle(rules)
        assert await found(engine) == "mended"
        assert (await engine.version()).refused == ""


async def test_rules_that_are_touched_but_say_the_same_exchange_nobody(tmp_path: Path) -> None:
    file = tmp_path / "own.yar"
    async with following(file, always("old")) as (_, rules):
        pids = rules.workers.pids
        os.utime(file, ns=(1, 1))
        await settle(rules)
        assert rules.workers.pids == pids


async def test_a_scan_under_way_finishes_with_the_rules_it_began_with(tmp_path: Path) -> None:
    file = tmp_path / "own.yar"
    async with following(file, always("old")) as (engine, rules):
        old = rules.workers
        (pid,) = old.pids
        os.kill(pid, signal.SIGSTOP)
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(found(engine))
            await eventually(lambda: old.free == 0)
            file.write_text(always("new"))
            await settle(rules)
            assert await found(engine) == "new"
            os.kill(pid, signal.SIGCONT)
        assert asking.result() == "old"
        await eventually(lambda: is_gone(pid))


async def test_rules_that_cannot_be_read_end_the_start(tmp_path: Path) -> None:
    engine = YaraEngine(YaraSettings(rules=(str(tmp_path / "none.yar"),), workers=1))
    with pytest.raises(StartError, match=r"\[engines.yara\] rules: .*none.yar: cannot be read"):
        await engine.start()
    await engine.aclose()
