"""Points by subject: listed, read, forgiven; in both stores."""

import json

from policy.core.audit import Area, Authorship
from policy.core.penalties import Points
from policy.ports import PolicyStore
from service_kit.clock import ManualClock
from tests.contract.policy.samples import lock
from tests.contract.policy.test_amending import amend, putting

SUBJECT = "address:192.0.2.1"
BY = Authorship("anna", "a mistake", 5)
HOUR_MS = 3_600_000


async def test_points_are_read_as_they_were_when_the_last_were_given(
    store: PolicyStore, clock: ManualClock
) -> None:
    await store.add_points(SUBJECT, 40.0, HOUR_MS)
    clock.advance(3600)
    assert await store.add_points(SUBJECT, 1.0, HOUR_MS) == 21.0
    assert await store.points_of(SUBJECT) == Points(21.0, clock.unix_ms())
    assert await store.points_of("identity:nobody") is None


async def test_who_was_given_points_last_comes_first(
    store: PolicyStore, clock: ManualClock
) -> None:
    for name in "abca":
        clock.advance(1)
        await store.add_points(f"identity:{name}", 10.0, HOUR_MS)
    page = await store.penalties(0, 2)
    assert [each.subject for each in page.penalties] == ["identity:a", "identity:c"]
    assert page.total == 3
    assert [each.subject for each in (await store.penalties(2, 2)).penalties] == ["identity:b"]
    assert (await store.penalties(3, 2)).penalties == ()


async def test_who_is_forgiven_has_none_and_it_is_written_down(store: PolicyStore) -> None:
    await store.add_points(SUBJECT, 40.0, HOUR_MS)
    assert await store.forgive(SUBJECT, BY)
    assert not await store.forgive(SUBJECT, BY)
    assert await store.points_of(SUBJECT) is None
    assert (await store.penalties(0, 9)).total == 0
    (entry,) = await store.audit("", 9)
    assert (entry.area, entry.subject, entry.by, entry.after) == (Area.PENALTY, SUBJECT, BY, "")
    assert json.loads(entry.before)["points"] == 40.0


async def test_whose_lock_a_person_removes_is_not_listed_any_more(store: PolicyStore) -> None:
    await store.add_points(SUBJECT, 40.0, HOUR_MS)
    await amend(store, putting(lock()))
    removal = putting(lock())
    await store.amend([type(removal)(removal.area, removal.subject, None, BY)])
    assert (await store.penalties(0, 9)).total == 0
