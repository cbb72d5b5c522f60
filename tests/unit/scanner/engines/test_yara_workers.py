"""The worker processes: kept alive, bounded, and never mixed up."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.messages import EICAR
from scanner.core.content import Content
from scanner.engines.yara import YaraEngine, YaraSettings
from scanner.engines.yara_sources import BUILTIN, read
from scanner.engines.yara_workers import Workers
from scanner.ports import EngineFailure, FailureReason
from service_kit.errors import StartError
from tests.support.eventually import eventually, turns

ARGUMENTS = ("24", "1000", "1000000")


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def soon() -> float:
    return asyncio.get_running_loop().time() + 30


@pytest.fixture
async def one_worker() -> AsyncIterator[Workers]:
    workers = Workers(ARGUMENTS, read([BUILTIN]), 1)
    try:
        await workers.start()
        yield workers
    finally:
        await workers.aclose()


async def test_they_are_started_and_ended_with_the_engine() -> None:
    engine = YaraEngine(YaraSettings(workers=2))
    await engine.start()
    pids = engine.rules.workers.pids
    assert len(pids) == 2
    assert "2 rules" in (await engine.version()).text
    await engine.aclose()
    assert all(map(is_gone, pids))


async def test_a_worker_that_is_killed_is_replaced(one_worker: Workers) -> None:
    (pid,) = one_worker.pids
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: one_worker.pids not in ((), (pid,)))
    assert (await one_worker.ask(Content.of(EICAR), soon())).matches


async def test_a_scan_whose_worker_is_killed_fails_as_lost(one_worker: Workers) -> None:
    (pid,) = one_worker.pids
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(failure(one_worker, soon()))
        await eventually(lambda: one_worker.free == 0)
        os.kill(pid, signal.SIGKILL)
    assert asking.result() is FailureReason.LOST


async def test_a_worker_that_does_not_answer_in_time_is_killed(one_worker: Workers) -> None:
    (pid,) = one_worker.pids
    os.kill(pid, signal.SIGSTOP)
    assert await failure(one_worker, asyncio.get_running_loop().time()) is FailureReason.LOST
    await eventually(lambda: is_gone(pid))


async def test_nobody_waits_for_a_worker_beyond_his_deadline(one_worker: Workers) -> None:
    (pid,) = one_worker.pids
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(one_worker.ask(Content.of(b""), soon()))
        await eventually(lambda: one_worker.free == 0)
        deadline = asyncio.get_running_loop().time() + 0.05
        assert await failure(one_worker, deadline) is FailureReason.BUSY
        os.kill(pid, signal.SIGCONT)
    assert asking.result().matches == ()


async def test_a_worker_whose_scan_was_given_up_finishes_it_alone(one_worker: Workers) -> None:
    (pid,) = one_worker.pids
    os.kill(pid, signal.SIGSTOP)
    asking = asyncio.get_running_loop().create_task(one_worker.ask(Content.of(EICAR), soon()))
    await eventually(lambda: one_worker.free == 0)
    asking.cancel()
    os.kill(pid, signal.SIGCONT)
    assert (await one_worker.ask(Content.of(b"clean"), soon())).matches == ()
    assert one_worker.pids == (pid,)


async def test_rules_that_cannot_be_used_end_the_start(tmp_path: Path) -> None:
    rules = tmp_path / "own.yar"
    rules.write_text("rule x { condition: unknown }")
    engine = YaraEngine(YaraSettings(rules=("builtin", str(rules)), workers=2))
    with pytest.raises(StartError, match=r"\[engines.yara\] rules: .*own.yar: .*unknown"):
        await engine.start()
    pids = engine.rules.workers.pids
    await engine.aclose()
    assert all(map(is_gone, pids))


async def test_a_worker_that_replaces_another_has_the_same_rules_whatever_became_of_the_file(
    tmp_path: Path,
) -> None:
    rules = tmp_path / "own.yar"
    rules.write_text("rule mine { condition: true }")
    workers = Workers(ARGUMENTS, read([str(rules)]), 1)
    try:
        await workers.start()
        rules.unlink()
        (pid,) = workers.pids
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: workers.pids not in ((), (pid,)))
        assert [each.rule for each in (await workers.ask(Content.of(b""), soon())).matches] == [
            "mine"
        ]
    finally:
        await workers.aclose()
    assert workers.pids == ()


async def test_workers_that_are_to_finish_finish(one_worker: Workers) -> None:
    (pid,) = one_worker.pids
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(one_worker.ask(Content.of(EICAR), soon()))
        await eventually(lambda: one_worker.free == 0)
        finishing = group.create_task(one_worker.finish(30))
        await turns()
        assert not finishing.done()
        os.kill(pid, signal.SIGCONT)
    assert asking.result().matches
    assert is_gone(pid)


async def failure(workers: Workers, deadline: float) -> FailureReason:
    with pytest.raises(EngineFailure) as failed:
        await workers.ask(Content.of(EICAR), deadline)
    return failed.value.reason
