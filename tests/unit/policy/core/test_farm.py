"""The farm as a replica knows it, and what it announces."""

import pytest

from policy.core.exemptions import Exemption
from policy.core.farm import (
    Announcement,
    Change,
    ExemptionRemoved,
    Farm,
    LockRemoved,
    Picture,
    StoredRulebook,
)
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


def test_a_lock_under_an_exemption_is_kept_and_not_enforced(farm: Farm) -> None:
    exemption = Exemption(lock().subject)
    assert farm.apply([exemption], 6) == Announcement(locks_anew=True)
    assert list(farm.enforced_locks(0)) == []
    assert farm.apply([ExemptionRemoved(exemption.subject)], 7) == Announcement(locks_anew=True)
    assert list(farm.enforced_locks(0)) == [lock()]


@pytest.mark.parametrize(
    "subject", ["address:127.0.0.1", "prefix:127.0.0.0/16", "prefix:0.0.0.0/0"]
)
def test_a_lock_that_meets_the_rulebooks_exemptions_is_not_given_to_edges(
    farm: Farm, subject: str
) -> None:
    assert farm.apply([lock(subject)], 6).is_silent


def test_a_rulebook_without_the_exemption_gives_the_lock_back(farm: Farm) -> None:
    farm.apply([lock("address:127.0.0.1")], 6)
    announced = farm.apply([SECOND], 7)
    assert announced == Announcement(rulebook=SECOND, locks_anew=True)
    assert lock("address:127.0.0.1") in farm.enforced_locks(0)


def test_an_unreadable_rulebook_is_not_taken_and_its_error_is_told(farm: Farm) -> None:
    announced = farm.apply([StoredRulebook(3, "schema = 99")], 6)
    assert announced.unreadable.startswith("version 3: ")
    assert announced.rulebook is None
    assert farm.stored == FIRST


def test_expired_locks_are_neither_enforced_nor_kept_on_disk(farm: Farm) -> None:
    farm.apply([lock("address:192.0.2.2", 100)], 6)
    assert list(farm.enforced_locks(100)) == [lock()]
    assert farm.picture(100) == Picture(6, FIRST, (lock(),), ())


def test_the_picture_of_a_farm_makes_the_same_farm(farm: Farm) -> None:
    farm.apply([lock("address:192.0.2.2", 100), Exemption("identity:a"), Exemption("auth:b")], 6)
    twin = Farm()
    twin.load(farm.picture(0), 0)
    assert twin.picture(0) == farm.picture(0)
    assert list(twin.locks) == list(farm.locks)


def test_what_is_forgotten_is_judged_anew_when_it_comes_back(farm: Farm) -> None:
    exempt = lock("address:127.0.0.1", 100)
    farm.apply([exempt], 6)
    farm.forget_expired(100)
    assert list(farm.locks) == [lock()]
    farm.apply([SECOND], 7)
    assert farm.apply([exempt], 8) == Announcement(put=(exempt,))


def test_a_picture_with_other_exemptions_judges_every_lock_anew(farm: Farm) -> None:
    farm.load(Picture(9, FIRST, (lock(),), (Exemption("prefix:192.0.0.0/16"),)), 0)
    assert list(farm.enforced_locks(0)) == []
    farm.load(Picture(9, FIRST, (lock(),)), 0)
    assert list(farm.enforced_locks(0)) == [lock()]
