"""Who is chosen while a daemon reloads, and what the replica says of itself."""

import asyncio
import logging

import pytest

from scanner import metrics
from scanner.ports import Duty, ReloadOutcome
from scanner.signatures.duties import Duties
from service_kit.health import Readiness
from tests.support.eventually import turns
from tests.unit.scanner.signatures.fakes import NEW, FakeDaemon


def duties(readiness: Readiness, *daemons: FakeDaemon, drain_s: float = 60.0) -> Duties:
    return Duties(daemons, readiness, drain_s, reload_s=0.05)


async def test_a_daemon_is_in_reserve_while_it_reloads_and_then_back() -> None:
    readiness, daemon = Readiness(), FakeDaemon()
    result = await duties(readiness, daemon, FakeDaemon()).exchange(daemon, NEW, leaving=False)
    assert result.outcome is ReloadOutcome.LOADED
    assert daemon.duties_seen == [Duty.RESERVE]
    assert daemon.duty is Duty.FULL
    assert metrics.DAEMONS_OUT()._value.get() == 0


async def test_a_replica_that_leaves_says_so_until_its_daemon_is_back() -> None:
    readiness, daemon = Readiness(), FakeDaemon()
    daemon.go_on.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(duties(readiness, daemon).exchange(daemon, NEW, leaving=True))
        await daemon.loading.wait()
        assert readiness.reasons == {"signatures": "the only daemon reloads"}
        assert metrics.DAEMONS_OUT()._value.get() == 1
        daemon.go_on.set()
    assert readiness.ready


async def test_scans_under_way_end_before_it_reloads() -> None:
    daemon = FakeDaemon()
    daemon.outstanding = 1
    async with asyncio.TaskGroup() as group:
        group.create_task(duties(Readiness(), daemon).exchange(daemon, NEW, leaving=False))
        await turns()
        assert (daemon.reloads, daemon.duty) == (0, Duty.RESERVE)
        daemon.outstanding = 0
    assert daemon.reloads == 1


async def test_scans_that_take_too_long_do_not_keep_it_from_reloading() -> None:
    daemon = FakeDaemon()
    daemon.outstanding = 1
    await duties(Readiness(), daemon, drain_s=0.0).exchange(daemon, NEW, leaving=False)
    assert daemon.reloads == 1


async def test_one_that_keeps_what_it_had_is_back_with_that(
    caplog: pytest.LogCaptureFixture,
) -> None:
    daemon = FakeDaemon(loads=None)
    result = await duties(Readiness(), daemon).exchange(daemon, NEW, leaving=True)
    assert (result.outcome, daemon.duty) == (ReloadOutcome.KEPT, Duty.FULL)
    assert [each.msg for each in caplog.records if each.levelno == logging.ERROR] == ["daemon back"]


async def test_one_that_is_lost_stays_out_and_the_replica_with_the_last_of_them() -> None:
    readiness = Readiness()
    first, second = FakeDaemon("first", then="blind"), FakeDaemon("second", then="gone")
    both = duties(readiness, first, second)
    await both.exchange(first, NEW, leaving=False)
    assert (first.duty, readiness.ready, both.others(second)) == (Duty.NONE, True, False)
    await both.exchange(second, NEW, leaving=False)
    assert readiness.reasons == {"signatures": "no daemon can be trusted"}


async def test_one_that_was_lost_is_back_when_it_can_be_trusted_again() -> None:
    readiness, daemon = Readiness(), FakeDaemon(then="blind")
    alone = duties(readiness, daemon)
    await alone.exchange(daemon, NEW, leaving=False)
    await alone.try_again()
    assert daemon.duty is Duty.NONE, "it is still blind"
    daemon.becomes = ""
    await alone.try_again()
    assert (daemon.duty, daemon.edition, readiness.ready) == (Duty.FULL, "", True)


async def test_cancelled_it_puts_the_daemon_back() -> None:
    readiness, daemon = Readiness(), FakeDaemon()
    daemon.go_on.clear()
    task = asyncio.get_running_loop().create_task(
        duties(readiness, daemon).exchange(daemon, NEW, leaving=True)
    )
    await daemon.loading.wait()
    task.cancel()
    await asyncio.wait([task])
    assert (daemon.duty, readiness.ready) == (Duty.FULL, True)
