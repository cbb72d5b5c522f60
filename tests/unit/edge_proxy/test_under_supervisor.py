"""What a worker hears and says on its two pipes."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from edge_proxy import under_supervisor as module
from edge_proxy.config import EdgeSettings
from edge_proxy.under_supervisor import UnderSupervisor, worker_number
from service_kit.health import Readiness
from service_kit.lifecycle import Lifecycle
from service_kit.tasks import Tasks
from tests.support.eventually import turns

SETTINGS = EdgeSettings.model_validate(
    {
        "drain_deadline_s": 25.0,
        "listen": {"handover_deadline_s": 600.0},
        "destination": {"mode": "fixed", "server": "192.0.2.1:25"},
    }
)


@dataclass
class Supervised:
    """A worker, and its supervisor's ends of the pipes."""

    worker: UnderSupervisor
    lifecycle: Lifecycle
    tasks: Tasks
    tells: int
    hears: int


@pytest.fixture
async def supervised(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervised]:
    stdin, tells = os.pipe()
    hears, stdout = os.pipe()
    monkeypatch.setattr(module, "_STDIN", stdin)
    monkeypatch.setattr(module, "_STDOUT", stdout)
    lifecycle = Lifecycle(SETTINGS.drain_deadline_s, signals=())
    async with Tasks() as tasks:
        worker = UnderSupervisor(SETTINGS, lifecycle, tasks)
        yield Supervised(worker, lifecycle, tasks, tells, hears)
    if not lifecycle.draining.is_set():
        os.close(tells)
        await lifecycle.wait_drain()
    lifecycle.close()
    for each in (stdin, hears, stdout):
        os.close(each)


async def test_it_opens_when_it_is_told_and_not_before(supervised: Supervised) -> None:
    opening = supervised.tasks.spawn(supervised.worker.open(Readiness()), name="open")
    os.write(supervised.tells, b"acc")
    await turns()
    assert not opening.done()
    os.write(supervised.tells, b"ept\n")
    assert await opening


async def test_it_takes_nothing_from_the_queue_before_it_can_serve(supervised: Supervised) -> None:
    readiness = Readiness("rulebook")
    opening = supervised.tasks.spawn(supervised.worker.open(readiness), name="open")
    os.write(supervised.tells, b"accept\n")
    await turns()
    assert not opening.done()
    readiness.set("rulebook", ready=True)
    assert await opening


async def test_but_it_does_not_keep_those_in_the_queue_for_long(
    supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE_WAITS_S", 0.01)
    os.write(supervised.tells, b"accept\n")
    assert await supervised.worker.open(Readiness("rulebook"))


async def test_it_says_once_that_it_is_ready(supervised: Supervised) -> None:
    readiness = Readiness("rulebook")
    supervised.tasks.spawn(supervised.worker.open(readiness), name="open")
    await turns()
    readiness.set("rulebook", ready=True)
    await turns()
    readiness.set("rulebook", ready=False)
    readiness.set("rulebook", ready=True)
    await turns()
    assert os.read(supervised.hears, 64) == b"ready\n"


async def test_told_to_leave_it_has_the_time_of_a_handover(supervised: Supervised) -> None:
    os.write(supervised.tells, b"accept\nleave\n")
    await supervised.lifecycle.wait_drain()
    assert supervised.lifecycle.drain_remaining_s() > SETTINGS.drain_deadline_s
    os.close(supervised.tells)
    await turns()


async def test_without_a_supervisor_it_drains_as_usual_and_does_not_open(
    supervised: Supervised,
) -> None:
    opening = supervised.tasks.spawn(supervised.worker.open(Readiness("rulebook")), name="open")
    os.close(supervised.tells)
    assert not await opening
    assert supervised.lifecycle.drain_remaining_s() <= SETTINGS.drain_deadline_s


async def test_words_it_does_not_know_mean_nothing(supervised: Supervised) -> None:
    opening = supervised.tasks.spawn(supervised.worker.open(Readiness()), name="open")
    os.write(supervised.tells, b"\n\nACCEPT\nnonsense\naccept\n")
    assert await opening
    assert not supervised.lifecycle.draining.is_set()


def test_a_worker_knows_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMTPGATED_WORKER", raising=False)
    assert worker_number() is None
    monkeypatch.setenv("SMTPGATED_WORKER", "3")
    assert worker_number() == 3
