"""The identity table: what both stores do."""

import pytest

from policy.core.farm import IdentitiesPut, IdentitiesRemoved
from policy.core.identities import IdentityEnd, NetworkIdentity
from policy.core.leases import Caps, Release, Renew, Standing
from policy.ports import ChangeBatch, IdentitiesGone, PolicyStore
from policy.store.memory import MemoryStore
from policy.store.redis.store import RedisStore
from service_kit.clock import ManualClock
from smtpgated_contracts.values.mail import SessionId
from tests.contract.policy.samples import opening, progress, soon

JOE = NetworkIdentity("192.0.2.1", 'joe "the" żółw', 99, "admin", 5)
ANN = NetworkIdentity("2001:db8::/56", "ann")
ONE_PER_IDENTITY = Caps(per_identity=1)


async def test_what_was_put_is_in_the_picture_and_in_the_feed_as_one_change(
    store: PolicyStore,
) -> None:
    assert await store.put_identities([JOE, ANN]) == 1
    picture = await store.picture()
    assert sorted(picture.identities, key=lambda each: each.network) == [JOE, ANN]
    assert await store.changes_after(0) == ChangeBatch(1, (IdentitiesPut((JOE, ANN)),))


async def test_an_entry_takes_the_place_of_its_networks(store: PolicyStore) -> None:
    other = NetworkIdentity(JOE.network, "eve")
    await store.put_identities([JOE])
    await store.put_identities([other])
    assert (await store.picture()).identities == (other,)


async def test_removing_tells_which_were_there(store: PolicyStore) -> None:
    await store.put_identities([JOE, ANN])
    ends = [IdentityEnd(JOE.network), IdentityEnd("192.0.2.77"), IdentityEnd(ANN.network)]
    gone = (JOE.network, ANN.network)
    assert await store.remove_identities(ends) == IdentitiesGone(2, gone)
    assert (await store.picture()).identities == ()
    assert await store.changes_after(1) == ChangeBatch(2, (IdentitiesRemoved(gone),))
    assert await store.remove_identities(ends) == IdentitiesGone()


async def test_a_late_end_does_not_take_the_network_from_its_next_owner(
    store: PolicyStore,
) -> None:
    await store.put_identities([JOE])
    assert await store.remove_identities([IdentityEnd(JOE.network, "eve")]) == IdentitiesGone()
    gone = await store.remove_identities([IdentityEnd(JOE.network, JOE.identity)])
    assert gone == IdentitiesGone(2, (JOE.network,))


async def test_ten_thousand_go_and_come_in_steps(store: PolicyStore) -> None:
    many = [NetworkIdentity(f"10.0.{at // 250}.{at % 250}", f"s-{at}") for at in range(10_000)]
    revision = await store.put_identities(many)
    assert len((await store.picture()).identities) == 10_000
    gone = await store.remove_identities([IdentityEnd(each.network) for each in many])
    assert len(gone.networks) == 10_000
    assert gone.revision > revision


@pytest.mark.parametrize("count", [3, 4])
async def test_a_full_table_takes_no_more_networks_but_changes_those_it_has(
    store: PolicyStore, count: int
) -> None:
    assert isinstance(store, MemoryStore | RedisStore)
    store.most_identities = 3
    entries = [NetworkIdentity(f"192.0.2.{at}", "joe") for at in range(count)]
    assert bool(await store.put_identities(entries)) is (count == 3)
    assert len((await store.picture()).identities) == (3 if count == 3 else 0)
    await store.put_identities(entries[:3])
    assert await store.put_identities([NetworkIdentity("192.0.2.0", "ann")]) > 0


async def test_expired_ones_are_forgotten_however_many(
    store: PolicyStore, clock: ManualClock
) -> None:
    end_ms = clock.unix_ms() + 1000
    many = [NetworkIdentity(f"10.0.{at // 250}.{at % 250}", "joe", end_ms) for at in range(2500)]
    await store.put_identities([*many, ANN])
    await store.put_identities([NetworkIdentity(many[0].network, "for ever")])
    clock.advance(1)
    await store.forget_expired()
    assert {each.identity for each in (await store.picture()).identities} == {"ann", "for ever"}


# What an identity's sessions may be


async def test_an_identity_is_limited_wherever_it_comes_from(store: PolicyStore) -> None:
    assert await store.settle(
        [
            opening("a", "192.0.2.1", ONE_PER_IDENTITY, "joe"),
            opening("b", "2001:db8::1", ONE_PER_IDENTITY, "joe"),
            opening("c", "192.0.2.1", ONE_PER_IDENTITY, "ann"),
            opening("d", "192.0.2.1", Caps()),
            opening("e", "192.0.2.1", Caps()),
        ],
        soon(),
    ) == [
        Standing.GRANTED,
        Standing.IDENTITY_REACHED,
        Standing.GRANTED,
        Standing.GRANTED,
        Standing.GRANTED,
    ]


async def test_a_slot_of_an_identity_is_free_after_release_and_after_expiry(
    store: PolicyStore, clock: ManualClock
) -> None:
    again = opening("b", "192.0.2.2", ONE_PER_IDENTITY, "joe")
    await store.settle([opening("a", caps=ONE_PER_IDENTITY, identity="joe")], soon())
    assert await store.settle([again], soon()) == [Standing.IDENTITY_REACHED]
    await store.settle([Release((SessionId("a"),))], soon())
    assert await store.settle([again], soon()) == [Standing.GRANTED]
    clock.advance(30)
    more = opening("c", "192.0.2.3", ONE_PER_IDENTITY, "joe")
    assert await store.settle([more], soon()) == [Standing.GRANTED]


async def test_renewals_count_for_their_identities_each_for_its_own(store: PolicyStore) -> None:
    running = (
        progress("a", identity="joe"),
        progress("b"),
        progress("c", "192.0.2.3", identity="ann"),
    )
    await store.settle([Renew(running)], soon())
    for who, standing in (
        ("joe", Standing.IDENTITY_REACHED),
        ("ann", Standing.IDENTITY_REACHED),
        ("tom", Standing.GRANTED),
    ):
        asked = opening(f"new {who}", "192.0.2.9", ONE_PER_IDENTITY, who)
        assert await store.settle([asked], soon()) == [standing]
