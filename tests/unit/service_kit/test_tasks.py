import asyncio
import logging

import pytest
from prometheus_client import REGISTRY

from service_kit.tasks import Tasks


def _failures() -> float:
    value = REGISTRY.get_sample_value("smtpgated_task_failures_total")
    assert value is not None
    return value


async def test_a_task_runs_under_its_name_and_is_forgotten_when_done() -> None:
    async def work() -> str:
        task = asyncio.current_task()
        assert task is not None
        return task.get_name()

    async with Tasks() as running:
        assert await running.spawn(work(), name="reader of a stream") == "reader of a stream"
        assert len(running) == 0


async def test_a_task_nobody_else_refers_to_is_kept_until_it_ends() -> None:
    let_go = asyncio.Event()
    async with Tasks() as running:
        running.spawn(let_go.wait(), name="x")
        assert len(running) == 1
        let_go.set()
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(running) == 0


async def test_a_failure_is_logged_with_its_name_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = _failures()

    async def work() -> None:
        raise ValueError("no such thing")

    async with Tasks() as running:
        task = running.spawn(work(), name="feeder")
        await asyncio.wait([task])
    (record,) = caplog.records
    assert (record.levelno, record.msg) == (logging.ERROR, "task failed")
    assert vars(record)["fields"] == {"task": "feeder"}
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)
    assert _failures() == before + 1


async def test_a_cancelled_task_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    before = _failures()
    async with Tasks() as running:
        task = running.spawn(asyncio.Event().wait(), name="waiter")
        task.cancel()
        await asyncio.wait([task])
    assert not caplog.records
    assert _failures() == before


async def test_closing_cancels_and_waits_for_the_cleaning_up() -> None:
    began = asyncio.Event()
    cleaned = False

    async def work() -> None:
        nonlocal cleaned
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned = True

    running = Tasks()
    running.spawn(work(), name="x")
    await began.wait()
    await running.aclose()
    assert cleaned
    assert len(running) == 0


async def test_closing_does_not_wait_for_ever_and_names_who_does_not_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    let_go = asyncio.Event()
    began = asyncio.Event()

    async def deaf() -> None:
        began.set()
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    running = Tasks()
    task = running.spawn(deaf(), name="deaf one")
    await began.wait()
    await running.aclose(patience_s=0.01)
    assert vars(caplog.records[-1])["fields"] == {"names": ["deaf one"]}
    let_go.set()
    await task


async def test_a_task_may_close_its_own_owner() -> None:
    running = Tasks()
    other = running.spawn(asyncio.Event().wait(), name="other")
    await running.spawn(running.aclose(), name="closer")
    assert other.cancelled()


async def test_spawning_after_the_end_is_a_bug() -> None:
    running = Tasks()
    await running.aclose()
    with pytest.raises(RuntimeError, match="late"):
        running.spawn(asyncio.Event().wait(), name="late")
