import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from service_kit import lifecycle
from service_kit.clock import ManualClock
from service_kit.lifecycle import Lifecycle
from service_kit.tasks import Tasks

_SIGNAL = signal.SIGUSR1


@pytest.fixture(autouse=True)
def _signal_restored() -> Iterator[None]:
    before = signal.getsignal(_SIGNAL)
    yield
    signal.signal(_SIGNAL, before)


def _signal_us() -> None:
    os.kill(os.getpid(), _SIGNAL)


async def test_the_first_signal_begins_the_drain() -> None:
    life = Lifecycle(signals=(_SIGNAL,))
    assert not life.draining.is_set()
    _signal_us()
    await life.wait_drain()
    assert life.draining.is_set()
    life.close()


async def test_the_second_signal_cancels_the_main_task_and_gives_the_signals_back() -> None:
    drained = asyncio.Event()

    async def service() -> None:
        life = Lifecycle(signals=(_SIGNAL,))
        _signal_us()
        await life.wait_drain()
        drained.set()
        await asyncio.Event().wait()

    async with Tasks() as running:
        main = running.spawn(service(), name="service")
        await drained.wait()
        _signal_us()
        with pytest.raises(asyncio.CancelledError) as stopped:
            await main
    assert stopped.value.args == (lifecycle.STOPPED_AT_ONCE,)
    assert signal.getsignal(_SIGNAL) == signal.SIG_DFL


async def test_a_service_that_stays_past_its_deadline_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lifecycle, "_OVERDUE_S", 0.0)

    async def service() -> None:
        Lifecycle(drain_deadline_s=0.0, signals=()).begin_drain("test")
        await asyncio.Event().wait()

    async with Tasks() as running:
        with pytest.raises(asyncio.CancelledError):
            await running.spawn(service(), name="service")


async def test_a_service_that_ends_in_time_is_left_alone() -> None:
    life = Lifecycle(drain_deadline_s=0.0, signals=())
    life.begin_drain("test")
    life.close()
    assert life._overdue is not None
    assert life._overdue.cancelled()


async def test_what_is_left_of_the_drain_counts_from_its_first_cause() -> None:
    clock = ManualClock()
    life = Lifecycle(drain_deadline_s=10.0, clock=clock, signals=())
    clock.advance(100)
    assert life.drain_remaining_s() == 10.0
    life.begin_drain("test")
    clock.advance(4)
    life.begin_drain("again")
    assert life.drain_remaining_s() == 6.0
    clock.advance(60)
    assert life.drain_remaining_s() == 0.0
    life.close()


async def test_a_drain_can_have_a_deadline_of_its_own() -> None:
    clock = ManualClock()
    life = Lifecycle(5.0, clock=clock, signals=())
    life.begin_drain("test", 60.0)
    clock.advance(20.0)
    assert life.drain_remaining_s() == 40.0
    life.close()
