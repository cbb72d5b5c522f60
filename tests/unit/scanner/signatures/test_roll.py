"""When which daemon reloads: its turn, its group, its Redis, and what others broke on."""

import asyncio
import logging
from pathlib import Path

import pytest

from scanner.ports import Duty
from scanner.signatures.farm import Alone, Farm
from scanner.signatures.folder import Edition, Folder
from scanner.signatures.roll import Roll
from scanner.signatures.settings import SignatureSettings
from service_kit.health import Readiness
from tests.unit.scanner.signatures.fakes import NEW, NEW_OWN, OLD, FakeDaemon, Group, Member


class FakeFolder(Folder):
    """``edition``: what lies there."""

    def __init__(self, edition: Edition | None = NEW) -> None:
        super().__init__(Path("/nonexistent"))
        self.edition = edition
        self.unreadable = False

    def look(self) -> Edition | None:
        if self.unreadable:
            raise PermissionError(13, "Permission denied")
        return self.edition


def replica(
    farm: Farm,
    *daemons: FakeDaemon,
    folder: FakeFolder | None = None,
    readiness: Readiness | None = None,
    others_serving: int = 1,
) -> Roll:
    settings = SignatureSettings(reload_deadline_s=0.05, others_serving=others_serving)
    return Roll(daemons, folder or FakeFolder(), farm, readiness or Readiness(), settings)


async def test_every_daemon_that_is_behind_reloads_one_after_the_other() -> None:
    one, other, new = FakeDaemon("one"), FakeDaemon("other"), FakeDaemon("new")
    new.edition = NEW.digits
    one.go_on.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(replica(Alone(), one, other, new).look())
        await one.loading.wait()
        assert (one.duty, other.duty, other.reloads) == (Duty.RESERVE, Duty.FULL, 0)
        one.go_on.set()
    assert [each.reloads for each in (one, other, new)] == [1, 1, 0]
    assert {each.edition for each in (one, other, new)} == {NEW.digits}


async def test_what_is_loaded_is_not_loaded_again() -> None:
    daemon = FakeDaemon()
    roll = replica(Alone(), daemon)
    for _ in range(3):
        await roll.look()
    assert daemon.reloads == 1


@pytest.mark.parametrize(
    ("edition", "reloads"), [(OLD, 0), (NEW, 1), (NEW_OWN, 1)], ids=["same", "number", "own"]
)
async def test_a_daemon_of_unknown_edition_is_behind_as_far_as_it_shows(
    edition: Edition, reloads: int
) -> None:
    daemon = FakeDaemon(loads=edition)
    daemon.edition = ""
    await replica(Alone(), daemon, folder=FakeFolder(edition)).look()
    assert (daemon.reloads, daemon.edition) == (reloads, edition.digits)


async def test_a_daemon_that_is_away_is_left_alone() -> None:
    daemon = FakeDaemon()
    daemon.becomes = "gone"
    await replica(Alone(), daemon).look()
    assert (daemon.reloads, daemon.duty) == (0, Duty.FULL)


async def test_one_replica_of_a_group_at_a_time() -> None:
    group = Group()
    first, second = FakeDaemon("first"), FakeDaemon("second")
    one, other = replica(Member(group), first), replica(Member(group), second)
    await Member(group).beat(serving=True)
    first.go_on.clear()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(one.look())
        await first.loading.wait()
        await other.look()
        assert second.reloads == 0
        first.go_on.set()
    await other.look()
    assert (first.edition, second.edition) == (NEW.digits, NEW.digits)
    assert group.turn is None


async def test_the_only_daemon_of_a_replica_waits_until_enough_others_serve(
    caplog: pytest.LogCaptureFixture,
) -> None:
    group, daemon, readiness = Group(), FakeDaemon(), Readiness()
    roll = replica(Member(group), daemon, readiness=readiness, others_serving=2)
    for others in (0, 1):
        for _ in range(others):
            await Member(group).beat(serving=True)
        await roll.look()
        assert (daemon.reloads, group.turn) == (0, None)
    told = [each for each in caplog.records if each.msg == "signatures wait for other replicas"]
    assert len(told) == 1, "told once"
    await Member(group).beat(serving=True)
    await roll.look()
    assert daemon.reloads == 1


async def test_a_replica_with_other_daemons_waits_for_nobody_and_stays() -> None:
    readiness, daemon = Readiness(), FakeDaemon()
    ready: list[bool] = []
    daemon.go_on.clear()
    async with asyncio.TaskGroup() as group:
        roll = replica(Member(Group()), daemon, FakeDaemon("other"), readiness=readiness)
        group.create_task(roll.look())
        await daemon.loading.wait()
        ready.append(readiness.ready)
        daemon.go_on.set()
    assert ready == [True]
    assert daemon.edition == NEW.digits


@pytest.mark.parametrize(("others_serving", "stays"), [(1, False), (0, True)])
async def test_a_replica_with_one_daemon_leaves_while_it_reloads_unless_told_otherwise(
    others_serving: int, *, stays: bool
) -> None:
    group, readiness, daemon = Group(), Readiness(), FakeDaemon()
    await Member(group).beat(serving=True)
    daemon.go_on.clear()
    async with asyncio.TaskGroup() as tasks:
        roll = replica(Member(group), daemon, readiness=readiness, others_serving=others_serving)
        tasks.create_task(roll.look())
        await daemon.loading.wait()
        assert readiness.ready is stays
        daemon.go_on.set()
    assert readiness.ready
    assert len(group.serving) == 2, "the group hears that it is back"


@pytest.mark.parametrize("then", ["", "blind"], ids=["kept", "lost"])
async def test_what_broke_one_daemon_is_given_to_no_other_here_or_in_the_group(then: str) -> None:
    group = Group()
    bad, same, far = FakeDaemon("bad", None, then), FakeDaemon("same"), FakeDaemon("far")
    here, there = replica(Member(group), bad, same), replica(Member(group), far)
    await here.look()
    await here.look()
    await there.look()
    assert (bad.reloads, same.reloads, far.reloads) == (1, 0, 0)
    assert all(each.refused for each in (bad, same, far))
    assert group.turn is None


async def test_another_edition_goes_on_where_the_broken_one_stopped() -> None:
    folder, daemon = FakeFolder(), FakeDaemon(loads=None)
    roll = replica(Alone(), daemon, folder=folder)
    await roll.look()
    assert daemon.refused
    folder.edition = daemon.loads = Edition("mended00", 3)
    await roll.look()
    assert (daemon.edition, daemon.refused) == ("mended00", "")


async def test_the_old_edition_put_back_is_refused_no_more() -> None:
    folder, daemon = FakeFolder(), FakeDaemon(loads=None)
    roll = replica(Alone(), daemon, folder=folder)
    await roll.look()
    folder.edition = OLD
    await roll.look()
    assert (daemon.refused, daemon.reloads) == ("", 1)


async def test_demanded_all_reload_even_what_broke_before() -> None:
    group, daemon, current = Group(), FakeDaemon(loads=None), FakeDaemon("current")
    current.edition = NEW.digits
    roll = replica(Member(group), daemon, current)
    await roll.look()
    assert group.broken
    daemon.loads = NEW
    roll.demand()
    await roll.look()
    assert (daemon.edition, daemon.refused, current.reloads) == (NEW.digits, "", 1)
    assert not group.broken


async def test_without_a_folder_nothing_happens_until_it_is_demanded() -> None:
    daemon = FakeDaemon()
    roll = Roll([daemon], None, Alone(), Readiness(), SignatureSettings())
    await roll.look()
    assert daemon.reloads == 0
    roll.demand()
    await roll.look()
    assert daemon.reloads == 1


async def test_without_redis_a_single_daemon_waits_and_several_go_on() -> None:
    group = Group()
    group.away = True
    single, one, other = (FakeDaemon(name) for name in ("single", "one", "other"))
    await replica(Member(group), single).look()
    await replica(Member(group), one, other).look()
    assert (single.reloads, one.reloads, other.reloads) == (0, 1, 1)


async def test_a_folder_that_cannot_be_read_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    folder, daemon = FakeFolder(), FakeDaemon()
    folder.unreadable = True
    roll = replica(Alone(), daemon, folder=folder)
    for _ in range(3):
        await roll.look()
    told = [each.msg for each in caplog.records if each.levelno == logging.WARNING]
    assert told == ["database folder cannot be read"]
    folder.unreadable = False
    await roll.look()
    assert daemon.reloads == 1
