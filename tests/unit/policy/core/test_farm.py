"""The farm as a replica knows it, and what it announces."""

import pytest

from policy.core.exemptions import Exemption
from policy.core.farm import (
    Announcement,
    Change,
    ExemptionRemoved,
    Farm,
    IdentitiesPut,
    IdentitiesRemoved,
    LockRemoved,
    Picture,
    StoredRulebook,
)
from policy.core.identities import NetworkIdentity
from tests.contract.policy.samples import lock

FIRST = StoredRulebook(1, 'schema = 1\n[exempt]\nsources = ["127.0.0.0/8"]\n')
SECOND = StoredRulebook(2, "schema = 1\n")


@pytest.fixture
def farm() -> Farm:
    made = Farm()
    made.load(Picture(5, FIRST, (lock(),)), 0)
    return made


def test_the_first_picture_announces_everything() -> None:
    announced = Farm().load(Picture(5, FIRST, (lock(),)), 0)
    assert announced == Announcement(rulebook=FIRST, locks_anew=True)


def test_the_same_picture_again_announces_nothing(farm: Farm) -> None:
    assert farm.load(Picture(9, FIRST, (lock(),)), 0).is_silent
    assert farm.revision == 9


def test_another_picture_announces_what_differs(farm: Farm) -> None:
    assert farm.load(Picture(9, FIRST, ()), 0) == Announcement(locks_anew=True)
    assert farm.load(Picture(9, SECOND, ()), 0) == Announcement(rulebook=SECOND)


def test_changes_of_locks_are_announced_as_their_last_state(farm: Farm) -> None:
    other = lock("address:192.0.2.2")
    changes: tuple[Change, ...] = (
        LockRemoved(lock().subject),
        lock(expires_at_ms=9),
        other,
        LockRemoved(other.subject),
    )
    announced = farm.apply(changes, 9)
    assert announced == Announcement(put=(lock(expires_at_ms=9),), removed=(other.subject,))
    assert farm.revision == 9
    assert list(farm.locks) == [lock(expires_at_ms=9)]


def test_applying_a_change_twice_does_no_harm(farm: Farm) -> None:
    changes: tuple[Change, ...] = (LockRemoved(lock().subject), lock("address:192.0.2.3"))
    for _ in range(2):
        farm.apply(changes, 6)
    assert list(farm.locks) == [lock("address:192.0.2.3")]


def test_exemptions_are_announced_beside_the_locks_they_win_over(farm: Farm) -> None:
    exemption = Exemption(lock().subject)
    assert farm.apply([exemption], 6) == Announcement(exempted=(exemption.subject,))
    assert list(farm.locks_in_force(0)) == [lock()]
    announced = farm.apply([ExemptionRemoved(exemption.subject), LockRemoved("auth:x")], 7)
    assert announced == Announcement(removed=("auth:x",), unexempted=(exemption.subject,))


def test_a_new_rulebook_is_announced_and_its_exemptions_hold(farm: Farm) -> None:
    assert farm.exemptions.cover_source("127.0.0.1", "")
    assert farm.apply([SECOND], 7) == Announcement(rulebook=SECOND)
    assert not farm.exemptions.cover_source("127.0.0.1", "")


def test_identities_are_followed_and_no_edge_is_told(farm: Farm) -> None:
    entries = (NetworkIdentity("192.0.2.1", "joe"), NetworkIdentity("192.0.2.2", "ann"))
    assert farm.apply([IdentitiesPut(entries)], 6).is_silent
    assert farm.identities.in_force(0) == entries
    assert farm.apply([IdentitiesRemoved(("192.0.2.1", "192.0.2.9"))], 7).is_silent
    assert farm.identities.in_force(0) == entries[1:]
    assert farm.load(Picture(9, FIRST, (lock(),), identities=entries[:1]), 0).is_silent
    assert farm.identities.in_force(0) == entries[:1]


def test_an_unreadable_rulebook_is_not_taken_and_its_error_is_told(farm: Farm) -> None:
    announced = farm.apply([StoredRulebook(3, "schema = 99")], 6)
    assert announced.unreadable.startswith("version 3: ")
    assert announced.rulebook is None
    assert farm.stored == FIRST


def test_expired_locks_are_neither_told_nor_kept_on_disk(farm: Farm) -> None:
    farm.apply([lock("address:192.0.2.2", 100)], 6)
    assert list(farm.locks_in_force(100)) == [lock()]
    assert farm.picture(100) == Picture(6, FIRST, (lock(),), ())


def test_the_picture_of_a_farm_makes_the_same_farm(farm: Farm) -> None:
    farm.apply([lock("address:192.0.2.2", 100), Exemption("identity:a"), Exemption("auth:b")], 6)
    twin = Farm()
    twin.load(farm.picture(0), 0)
    assert twin.picture(0) == farm.picture(0)
    assert list(twin.locks) == list(farm.locks)


def test_what_has_expired_is_forgotten(farm: Farm) -> None:
    farm.apply([lock("address:192.0.2.2", 100)], 6)
    farm.apply([IdentitiesPut((NetworkIdentity("192.0.2.1", "joe", 100),))], 7)
    farm.forget_expired(100)
    assert list(farm.locks) == [lock()]
    assert len(farm.identities) == 0


def test_a_picture_with_other_exemptions_is_told_anew(farm: Farm) -> None:
    other = Picture(9, FIRST, (lock(),), (Exemption("prefix:192.0.0.0/16"),))
    assert farm.load(other, 0) == Announcement(locks_anew=True)
    assert farm.load(other, 0).is_silent
