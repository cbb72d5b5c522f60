"""Locks, exemptions, rulebook and the feed of their changes: what both stores do."""

import asyncio

import pytest

from policy.core.exemptions import Exemption
from policy.core.farm import ExemptionRemoved, LockRemoved, Picture, StoredRulebook
from policy.ports import ChangeBatch, FeedGap, PolicyStore
from service_kit.clock import ManualClock
from tests.contract.policy.samples import lock

SUBJECT = "address:192.0.2.1"
RULEBOOK = StoredRulebook(1, "schema = 1\n")


async def test_an_empty_store_has_an_empty_picture(store: PolicyStore) -> None:
    assert await store.picture() == Picture()


async def test_the_picture_holds_what_was_put(store: PolicyStore) -> None:
    exemption = Exemption("identity:żółw", "ours", "admin", 5)
    await store.put_lock(lock(expires_at_ms=99))
    await store.put_exemption(exemption)
    await store.put_rulebook(RULEBOOK, 0)
    picture = await store.picture()
    assert picture == Picture(3, RULEBOOK, (lock(expires_at_ms=99),), (exemption,))


async def test_a_picture_of_many_locks_is_whole(store: PolicyStore) -> None:
    locks = [lock(f"address:10.0.{number // 250}.{number % 250}") for number in range(2500)]
    await store.lengthen_locks(locks)
    picture = await store.picture()
    assert sorted(each.subject for each in picture.locks) == sorted(each.subject for each in locks)


async def test_changes_come_in_order_after_the_picture(store: PolicyStore) -> None:
    await store.put_lock(lock("address:10.0.0.1"))
    seen = (await store.picture()).revision
    exemption = Exemption("prefix:10.0.0.0/8")
    await store.put_lock(lock())
    await store.remove_lock(SUBJECT)
    await store.put_exemption(exemption)
    await store.remove_exemption(exemption.subject)
    await store.put_rulebook(RULEBOOK, 0)
    assert await store.changes_after(seen) == ChangeBatch(
        seen + 5,
        (
            lock(),
            LockRemoved(SUBJECT),
            exemption,
            ExemptionRemoved(exemption.subject),
            RULEBOOK,
        ),
    )


async def test_a_waiting_reader_is_woken_by_a_change(store: PolicyStore) -> None:
    waiting = asyncio.create_task(store.changes_after(0))  # noqa: TID251 - ended below
    await asyncio.sleep(0)
    await store.put_lock(lock())
    assert await waiting == ChangeBatch(1, (lock(),))


async def test_without_changes_the_reader_gets_an_empty_batch(store: PolicyStore) -> None:
    revision = await store.put_lock(lock())
    assert await store.changes_after(revision) == ChangeBatch(revision)


async def test_a_reader_ahead_of_the_store_is_told_of_the_gap(store: PolicyStore) -> None:
    await store.put_lock(lock())
    with pytest.raises(FeedGap):
        await store.changes_after(7)


async def test_a_lock_put_takes_the_place_of_a_longer_one(store: PolicyStore) -> None:
    await store.put_lock(lock(expires_at_ms=0))
    await store.put_lock(lock(expires_at_ms=50))
    assert (await store.picture()).locks == (lock(expires_at_ms=50),)


@pytest.mark.parametrize(
    ("present", "wanted", "in_force"),
    [(100, 200, 200), (200, 100, 200), (100, 0, 0), (0, 100, 0), (0, 0, 0), (100, 100, 100)],
)
async def test_a_lock_is_lengthened_and_never_shortened(
    store: PolicyStore, present: int, wanted: int, in_force: int
) -> None:
    await store.lengthen_locks([lock(expires_at_ms=present, cause="old")])
    (written,) = await store.lengthen_locks([lock(expires_at_ms=wanted, cause="new")])
    changed = present != in_force
    assert written.lock == lock(expires_at_ms=in_force, cause="new" if changed else "old")
    assert written.revision == (2 if changed else 0)
    assert (await store.picture()).locks == (written.lock,)


async def test_lengthening_nothing_is_nothing(store: PolicyStore) -> None:
    assert await store.lengthen_locks([]) == []


async def test_removing_what_is_not_there_is_no_change(store: PolicyStore) -> None:
    assert await store.remove_lock(SUBJECT) == 0
    assert await store.remove_exemption(SUBJECT) == 0
    assert (await store.picture()).revision == 0


async def test_a_removed_lock_has_no_expiry_left(store: PolicyStore) -> None:
    await store.put_lock(lock(expires_at_ms=100))
    await store.remove_lock(SUBJECT)
    (written,) = await store.lengthen_locks([lock(expires_at_ms=50)])
    assert written.revision == 3


async def test_a_rulebook_is_stored_only_over_the_expected_version(store: PolicyStore) -> None:
    second = StoredRulebook(2, "schema = 1\n# second\n")
    assert await store.put_rulebook(second, 1) == 0
    assert await store.put_rulebook(RULEBOOK, 0) == 1
    assert await store.put_rulebook(RULEBOOK, 0) == 0
    assert await store.put_rulebook(second, 1) == 2
    assert (await store.picture()).rulebook == second


async def test_expired_locks_are_forgotten_without_a_change(
    store: PolicyStore, clock: ManualClock
) -> None:
    await store.put_lock(lock("address:10.0.0.1", clock.unix_ms() + 1000))
    await store.put_lock(lock("address:10.0.0.2", clock.unix_ms() + 2000))
    await store.put_lock(lock("address:10.0.0.3"))
    clock.advance(1)
    await store.forget_expired()
    picture = await store.picture()
    assert {each.subject for each in picture.locks} == {"address:10.0.0.2", "address:10.0.0.3"}
    assert picture.revision == 3
