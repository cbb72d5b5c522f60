"""The keeper: in step with the store, whatever happens to it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from policy.core.farm import Picture, StoredRulebook
from policy.replica.disk_copy import DiskCopy
from policy.replica.keeper import FarmKeeper
from service_kit.tasks import Tasks
from smtpgated_contracts.values.policy import Lock
from tests.contract.policy.samples import lock
from tests.support.eventually import eventually
from tests.unit.policy.replica.conftest import Parts

DOCUMENT = "schema = 1\n"


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    async with Tasks() as running:
        yield running


def keeper_of(parts: Parts, copy: DiskCopy | None = None) -> FarmKeeper:
    return FarmKeeper(
        parts.farm,
        parts.store,
        parts.presence,
        parts.announced.append,
        parts.clock,
        DOCUMENT,
        copy,
    )


@pytest.fixture
async def keeper(parts: Parts, tasks: Tasks) -> FarmKeeper:
    made = keeper_of(parts)
    tasks.spawn(made.run(), name="keeper")
    await made.loaded.wait()
    return made


async def lost(parts: Parts) -> None:
    parts.store.away = "gone"
    # A reader that waits for changes learns of it when it is woken.
    async with parts.store._changed:
        parts.store._changed.notify_all()
    await eventually(lambda: parts.presence.away)


async def test_an_empty_store_is_given_the_first_rulebook_once(
    parts: Parts, keeper: FarmKeeper
) -> None:
    assert keeper.loaded.is_set()
    assert (await parts.store.picture()).rulebook == StoredRulebook(1, DOCUMENT)
    assert parts.farm.stored == StoredRulebook(1, DOCUMENT)
    assert not parts.presence.away


async def test_a_store_that_has_a_rulebook_keeps_it(parts: Parts, tasks: Tasks) -> None:
    stored = StoredRulebook(4, "schema = 1\n# mine\n")
    await parts.store.put_rulebook(stored, 0)
    made = keeper_of(parts)
    tasks.spawn(made.run(), name="keeper")
    await made.loaded.wait()
    assert parts.farm.stored == stored


async def test_changes_are_followed_and_announced(parts: Parts, keeper: FarmKeeper) -> None:
    revision = await parts.store.put_lock(lock())
    assert await keeper.reached(revision, within_s=20)
    assert list(parts.farm.locks) == [lock()]
    assert parts.announced[-1].put == (lock(),)


async def test_a_revision_that_never_comes_is_not_waited_for_long(keeper: FarmKeeper) -> None:
    assert not await keeper.reached(99, within_s=0.01)


async def test_an_empty_store_is_filled_from_the_copy_on_disk(
    parts: Parts, tasks: Tasks, tmp_path: Path
) -> None:
    copy = DiskCopy(tmp_path)
    expired = lock("auth:gone", expires_at_ms=1)
    copy.write(Picture(9, StoredRulebook(3, "schema = 1\n# kept\n"), (lock(), expired)))
    made = keeper_of(parts, copy)
    tasks.spawn(made.run(), name="keeper")
    await made.loaded.wait()
    assert parts.farm.stored == StoredRulebook(3, "schema = 1\n# kept\n")
    assert (await parts.store.picture()).locks == (lock(),)


async def test_a_store_that_came_back_empty_is_filled_from_memory(
    parts: Parts, keeper: FarmKeeper
) -> None:
    await keeper.reached(await parts.store.put_lock(lock()), within_s=20)
    await lost(parts)
    parts.store.forget_everything()
    parts.store.away = ""
    await eventually(lambda: not parts.presence.away)
    picture = await parts.store.picture()
    assert (picture.rulebook, picture.locks) == (StoredRulebook(1, DOCUMENT), (lock(),))
    assert list(parts.farm.locks) == [lock()]


async def test_a_lock_while_the_store_is_away_holds_here_and_is_handed_over(
    parts: Parts, keeper: FarmKeeper
) -> None:
    await lost(parts)
    assert await keeper.lengthen([lock(expires_at_ms=10**15)]) == [True]
    assert await keeper.lengthen([lock(expires_at_ms=10**14)]) == [False]
    assert parts.announced[-1].put == (lock(expires_at_ms=10**15),)
    parts.store.away = ""
    await eventually(lambda: not parts.presence.away)
    assert (await parts.store.picture()).locks == (lock(expires_at_ms=10**15),)
    assert list(parts.farm.locks) == [lock(expires_at_ms=10**15)]


async def test_a_store_lost_in_the_middle_of_a_lock_puts_it_here(
    parts: Parts, keeper: FarmKeeper
) -> None:
    parts.store.away = "gone"
    assert not parts.presence.away
    assert await keeper.lengthen([lock()]) == [True]
    assert parts.presence.away
    assert list(parts.farm.locks) == [lock()]


async def test_missed_changes_lead_to_a_new_picture(
    parts: Parts, keeper: FarmKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.store, "_changes", [])
    await parts.store.put_lock(lock())
    parts.store._changes.clear()
    await eventually(lambda: list(parts.farm.locks) == [lock()])
    assert not parts.presence.away
    assert isinstance(keeper, FarmKeeper)


async def test_the_copy_is_out_of_date_after_every_change(parts: Parts, keeper: FarmKeeper) -> None:
    keeper.changed.clear()
    await parts.store.put_lock(Lock("auth:x", "y"))
    async with asyncio.timeout(20):
        await keeper.changed.wait()
