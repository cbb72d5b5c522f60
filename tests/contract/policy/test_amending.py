"""What people change, with who did it and why: what both stores do."""

import asyncio
from dataclasses import replace

import pytest

from policy.core.amending import NONE, Amended, Amendment, Fate, version_tag
from policy.core.audit import Area, Authorship
from policy.core.exemptions import Exemption
from policy.core.farm import LockRemoved, OverrideRemoved, StoredRulebook, TokenRemoved
from policy.core.overrides import Override, OwnLimit
from policy.core.tokens import MOST_TOKENS, Role, Token, digest_of
from policy.ports import PolicyStore
from policy.store.records import LOCKS
from smtpgated_contracts.values.policy import Lock
from tests.contract.policy.samples import lock

SUBJECT = "address:192.0.2.1"
BY = Authorship("anna", "too much mail", 5)
TOKEN = Token("t1", "anna", digest_of("secret"), Role.OPERATOR, ("192.0.2.0/24",), 99, "admin", 1)
FIRST, SECOND = StoredRulebook(1, "schema = 1\n"), StoredRulebook(2, "schema = 1 # żółw\n")


def putting(entry: Lock, expected: str = "") -> Amendment:
    return Amendment(Area.LOCK, entry.subject, entry, BY, expected)


async def amend(store: PolicyStore, amendment: Amendment) -> Amended:
    (amended,) = await store.amend([amendment])
    return amended


async def test_an_amendment_is_put_announced_and_written_down(store: PolicyStore) -> None:
    first, second = lock(expires_at_ms=99), lock(expires_at_ms=200)
    assert await amend(store, putting(first)) == Amended(Fate.DONE, 1)
    assert await amend(store, putting(second)) == Amended(Fate.DONE, 2, LOCKS.to_text(first))
    removal = Amendment(Area.LOCK, SUBJECT, None, replace(BY, reason="mended"))
    assert (await amend(store, removal)).fate is Fate.DONE
    assert (await store.changes_after(0)).changes == (first, second, LockRemoved(SUBJECT))
    assert (await store.picture()).locks == ()
    newest, middle, oldest = await store.audit("", 10)
    assert (newest.by.reason, newest.before, newest.after) == ("mended", LOCKS.to_text(second), "")
    assert (middle.before, middle.after) == (LOCKS.to_text(first), LOCKS.to_text(second))
    assert (oldest.area, oldest.subject, oldest.by, oldest.before) == (Area.LOCK, SUBJECT, BY, "")
    assert await store.audit(newest.entry_id, 1) == (middle,)
    assert await store.audit(oldest.entry_id, 1) == ()


async def test_whom_a_person_lets_go_begins_anew(store: PolicyStore) -> None:
    await amend(store, putting(lock()))
    await store.add_points(SUBJECT, 40.0, 60_000)
    await store.add_points("identity:joe", 7.0, 60_000)
    await amend(store, Amendment(Area.LOCK, SUBJECT, None, BY))
    assert await store.add_points(SUBJECT, 1.0, 60_000) == 1.0
    assert await store.add_points("identity:joe", 1.0, 60_000) == 8.0


async def test_a_lock_put_by_a_person_expires_as_any_other(store: PolicyStore) -> None:
    await amend(store, putting(lock(expires_at_ms=1)))
    await store.forget_expired()
    assert (await store.picture()).locks == ()


async def test_a_lock_that_has_no_end_any_more_is_not_forgotten(store: PolicyStore) -> None:
    await amend(store, putting(lock(expires_at_ms=1)))
    await amend(store, putting(lock(expires_at_ms=0)))
    await store.forget_expired()
    assert (await store.picture()).locks == (lock(),)


@pytest.mark.parametrize("expected", [NONE, version_tag("another")])
async def test_who_expected_something_else_changes_nothing(
    store: PolicyStore, expected: str
) -> None:
    await amend(store, putting(lock()))
    overtaken = await amend(store, putting(lock(cause="other"), expected))
    assert overtaken == Amended(Fate.OVERTAKEN, 0, LOCKS.to_text(lock()))
    assert (await store.picture()).locks == (lock(),)
    assert len(await store.audit("", 10)) == 1


async def test_who_saw_the_record_may_change_it(store: PolicyStore) -> None:
    assert (await amend(store, putting(lock(), NONE))).fate is Fate.DONE
    seen = version_tag(await store.record_of(Area.LOCK, SUBJECT))
    assert (await amend(store, putting(lock(cause="other"), seen))).fate is Fate.DONE
    assert (await amend(store, putting(lock(cause="third"), seen))).fate is Fate.OVERTAKEN


async def test_of_many_who_saw_the_same_one_wins(store: PolicyStore) -> None:
    await amend(store, putting(lock()))
    seen = version_tag(await store.record_of(Area.LOCK, SUBJECT))
    fates = await asyncio.gather(
        *(amend(store, putting(lock(cause=f"edit {number}"), seen)) for number in range(8))
    )
    assert [each.fate for each in fates].count(Fate.DONE) == 1


async def test_what_was_expected_and_is_gone_is_overtaken(store: PolicyStore) -> None:
    removal = Amendment(Area.LOCK, SUBJECT, None, BY, version_tag("what it was"))
    assert (await amend(store, removal)).fate is Fate.OVERTAKEN


async def test_removing_nothing_is_told_and_not_written_down(store: PolicyStore) -> None:
    removal = Amendment(Area.EXEMPTION, SUBJECT, None, BY)
    assert (await amend(store, removal)).fate is Fate.NOTHING_THERE
    assert await store.audit("", 10) == ()
    assert await store.record_of(Area.EXEMPTION, SUBJECT) == ""


async def test_exemptions_and_tokens_are_amended_alike(store: PolicyStore) -> None:
    exemption = Exemption(SUBJECT, "ours", "anna", 5)
    await amend(store, Amendment(Area.EXEMPTION, SUBJECT, exemption, BY))
    await amend(store, Amendment(Area.TOKEN, TOKEN.token_id, TOKEN, BY))
    picture = await store.picture()
    assert (picture.exemptions, picture.tokens) == ((exemption,), (TOKEN,))
    await amend(store, Amendment(Area.TOKEN, TOKEN.token_id, None, BY))
    assert (await store.changes_after(1)).changes == (TOKEN, TokenRemoved(TOKEN.token_id))


async def test_overrides_are_amended_alike_and_forgotten_after_their_end(
    store: PolicyStore,
) -> None:
    lasting = Override("identity:joe", (OwnLimit("hourly", 9), OwnLimit("daily", None)), "r", "a")
    over = replace(lasting, subject=SUBJECT, expires_at_ms=1)
    for each in (lasting, over):
        await amend(store, Amendment(Area.OVERRIDE, each.subject, each, BY))
    assert set((await store.picture()).overrides) == {lasting, over}
    assert (await store.changes_after(1)).changes == (over,)
    await store.forget_expired()
    assert (await store.picture()).overrides == (lasting,)
    await amend(store, Amendment(Area.OVERRIDE, "identity:joe", None, BY))
    assert (await store.changes_after(2)).changes == (OverrideRemoved("identity:joe"),)
    assert (await store.picture()).overrides == ()


async def test_there_are_only_so_many_tokens(store: PolicyStore) -> None:
    made = [replace(TOKEN, token_id=f"t{number}") for number in range(MOST_TOKENS + 1)]
    wanted = [Amendment(Area.TOKEN, each.token_id, each, BY) for each in made]
    fates = [each.fate for each in await store.amend(wanted)]
    assert fates == [Fate.DONE] * MOST_TOKENS + [Fate.FULL]
    again = Amendment(Area.TOKEN, "t0", replace(made[0], expires_at_ms=1), BY)
    assert (await amend(store, again)).fate is Fate.DONE


async def test_a_version_takes_the_place_of_the_one_its_author_saw(store: PolicyStore) -> None:
    await store.put_rulebook(FIRST, 0)
    assert await store.put_version(SECOND, 0, BY) == 0
    assert await store.put_version(SECOND, 1, BY) == 2
    assert await store.put_version(SECOND, 1, BY) == 0
    assert (await store.picture()).rulebook == SECOND
    assert (await store.changes_after(1)).changes == (SECOND,)
    (version,) = await store.versions()
    assert (version.version, version.by, version.octets) == (2, BY, len(SECOND.document.encode()))
    assert await store.document_of(1) == FIRST.document
    assert await store.document_of(2) == SECOND.document
    assert await store.document_of(3) is None
    (entry,) = await store.audit("", 10)
    assert (entry.area, entry.before, entry.after) == (Area.RULEBOOK, "1", "2")


async def test_only_so_many_versions_are_kept(store: PolicyStore) -> None:
    for number in range(1, 54):
        await store.put_version(StoredRulebook(number, f"schema = 1 # {number}\n"), number - 1, BY)
    assert [each.version for each in await store.versions()] == list(range(53, 3, -1))
    assert await store.document_of(3) is None
    assert await store.document_of(4) is not None


async def test_the_last_use_of_tokens_is_kept(store: PolicyStore) -> None:
    await store.tokens_used({})
    await store.tokens_used({"t1": 5, "t2": 6})
    await store.tokens_used({"t1": 7})
    assert await store.token_uses() == {"t1": 7, "t2": 6}
