"""Listeners: bounded, told what they missed, and never waited for."""

from policy.admin import live
from policy.admin.live import Happening, Listener, LiveFeed
from policy.core.farm import Announcement
from policy.core.tokens import Tenancy
from policy.replica.presence import StorePresence
from policy.store.memory import MemoryStore
from service_kit.clock import ManualClock
from smtpgated_contracts.values.policy import Lock

SOON_S = 5.0


def feed() -> LiveFeed:
    clock = ManualClock()
    return LiveFeed(MemoryStore(clock), StorePresence(clock))


async def test_who_does_not_keep_up_is_told_how_much_he_missed() -> None:
    listener = Listener(Tenancy())
    for number in range(live.MOST_WAITING + 3):
        listener.tell(Happening("lock", str(number)))
    told = await listener.next(SOON_S)
    assert len(told) == live.MOST_WAITING + 1
    assert (told[0].text, told[-1]) == ("0", Happening("missed", '{"count":3}'))
    listener.tell(Happening("lock", "again"))
    assert await listener.next(SOON_S) == [Happening("lock", "again")]


async def test_nothing_happens_and_nothing_is_told() -> None:
    assert await Listener(Tenancy()).next(0) == []


async def test_a_tenant_hears_of_subjects_in_his_networks() -> None:
    made = feed()
    locks = tuple(Lock(f"address:{each}", "x") for each in ("192.0.2.1", "198.51.100.1"))
    with made.listening(Tenancy(("192.0.2.0/24",))) as tenant, made.listening(Tenancy()) as whole:
        made.announce(Announcement(put=locks, locks_anew=True))
        assert [each.kind for each in await tenant.next(SOON_S)] == ["lock"]
        assert [each.kind for each in await whole.next(SOON_S)] == ["lock", "lock", "locks_anew"]


async def test_who_left_is_told_nothing_and_makes_room() -> None:
    made = feed()
    with made.listening(Tenancy()) as gone:
        pass
    made.announce(Announcement(removed=("address:192.0.2.1",)))
    assert await gone.next(0) == []
    made.end()
    assert made.is_full
