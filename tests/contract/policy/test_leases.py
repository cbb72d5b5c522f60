"""Leases: what both stores answer."""

from dataclasses import replace

import pytest

from policy.core.leases import LEASE_S, Caps, Open, Release, Renew, Standing
from policy.ports import PolicyStore
from service_kit.clock import ManualClock
from smtpgated_contracts.values.mail import Endpoint, SessionId
from smtpgated_contracts.values.policy import SessionProgress
from tests.contract.policy.samples import opening, progress, soon

ONE_PER_SOURCE = Caps(per_source=1)


async def test_answers_come_in_the_order_of_the_requests(store: PolicyStore) -> None:
    caps = Caps(total=2)
    requests = [opening(name, caps=caps) for name in ("a", "b", "c")]
    assert await store.settle([*requests, Release(())], soon()) == [
        Standing.GRANTED,
        Standing.GRANTED,
        Standing.TOTAL_REACHED,
        Standing.GRANTED,
    ]


async def test_no_requests_have_no_answers(store: PolicyStore) -> None:
    assert await store.settle([], soon()) == []


async def test_the_cap_per_source_counts_that_source_alone(store: PolicyStore) -> None:
    assert await store.settle(
        [
            opening("a", "192.0.2.1", ONE_PER_SOURCE),
            opening("b", "192.0.2.1", ONE_PER_SOURCE),
            opening("c", "192.0.2.2", ONE_PER_SOURCE),
        ],
        soon(),
    ) == [Standing.GRANTED, Standing.SOURCE_REACHED, Standing.GRANTED]


async def test_an_ipv6_source_is_counted_by_its_64(store: PolicyStore) -> None:
    assert await store.settle(
        [
            opening("a", "2001:db8::1", ONE_PER_SOURCE),
            opening("b", "2001:db8::ffff:2", ONE_PER_SOURCE),
            opening("c", "2001:db8:0:1::1", ONE_PER_SOURCE),
        ],
        soon(),
    ) == [Standing.GRANTED, Standing.SOURCE_REACHED, Standing.GRANTED]


async def test_asking_again_for_the_same_session_takes_no_second_slot(store: PolicyStore) -> None:
    again = opening("a", caps=ONE_PER_SOURCE)
    assert await store.settle([again, again], soon()) == [Standing.GRANTED, Standing.GRANTED]


async def test_a_released_slot_is_free(store: PolicyStore) -> None:
    caps = Caps(total=1, per_source=1)
    await store.settle([opening("a", caps=caps), Release((SessionId("a"),))], soon())
    assert await store.settle([opening("b", caps=caps)], soon()) == [Standing.GRANTED]


async def test_releasing_an_unknown_session_changes_nothing(store: PolicyStore) -> None:
    await store.settle([opening("a"), Release((SessionId("never seen"),))], soon())
    assert (await store.sessions("", 0, 10)).total == 1


async def test_a_lease_ends_after_thirty_seconds_unless_renewed(
    store: PolicyStore, clock: ManualClock
) -> None:
    caps = Caps(total=2)
    await store.settle([opening("kept", caps=caps), opening("lost", caps=caps)], soon())
    clock.advance(20)
    await store.settle([Renew((progress("kept"),))], soon())
    clock.advance(9.999)
    assert await store.settle([opening("c", caps=caps)], soon()) == [Standing.TOTAL_REACHED]
    clock.advance(0.001)
    assert await store.settle([opening("c", caps=caps)], soon()) == [Standing.GRANTED]
    assert await store.settle([opening("d", caps=caps)], soon()) == [Standing.TOTAL_REACHED]


async def test_a_renewal_makes_a_lost_lease_again_whatever_the_caps(store: PolicyStore) -> None:
    caps = Caps(total=1)
    await store.settle([opening("a", caps=caps), Renew((progress("b"),))], soon())
    assert (await store.sessions("", 0, 10)).total == 2
    assert await store.settle([opening("c", caps=caps)], soon()) == [Standing.TOTAL_REACHED]


async def test_more_sessions_than_one_script_call_takes_are_all_renewed(store: PolicyStore) -> None:
    many = tuple(progress(f"s{number}", f"10.0.{number % 250}.1") for number in range(1234))
    assert await store.settle([Renew(many), opening("last")], soon()) == [Standing.GRANTED] * 2
    assert (await store.sessions("", 0, 1)).total == 1235
    await store.settle([Release(tuple(each.session.session_id for each in many))], soon())
    assert (await store.sessions("", 0, 1)).total == 1


async def test_sessions_are_listed_newest_first_in_pages(
    store: PolicyStore, clock: ManualClock
) -> None:
    for name in ("first", "second", "third"):
        await store.settle([opening(name)], soon())
        clock.advance(1)
    page = await store.sessions("", 0, 2)
    assert page.total == 3
    assert [each.session.session.session_id for each in page.leases] == ["third", "second"]
    rest = await store.sessions("", 2, 2)
    assert [each.session.session.session_id for each in rest.leases] == ["first"]


async def test_a_listed_session_is_as_its_edge_last_described_it(
    store: PolicyStore, clock: ManualClock
) -> None:
    began = clock.unix_ms()
    await store.settle([opening("a")], soon())
    clock.advance(10)
    described = progress("a", phase="content", transactions=3, opened_at_ms=7)
    await store.settle([Renew((described,))], soon())
    (lease,) = (await store.sessions("", 0, 10)).leases
    assert lease.session == progress("a", phase="content", transactions=3, opened_at_ms=began)
    assert lease.expires_at_ms == clock.unix_ms() + 30_000


async def test_a_session_that_only_a_renewal_told_of_began_when_its_edge_says(
    store: PolicyStore,
) -> None:
    await store.settle([Renew((progress("a", opened_at_ms=123),))], soon())
    (lease,) = (await store.sessions("", 0, 10)).leases
    assert lease.session.opened_at_ms == 123


@pytest.mark.parametrize("offset", [0, 1, 2])
async def test_sessions_of_one_source(store: PolicyStore, clock: ManualClock, offset: int) -> None:
    for name, source in (("a", "192.0.2.1"), ("x", "192.0.2.2"), ("b", "192.0.2.1")):
        await store.settle([opening(name, source)], soon())
        clock.advance(1)
    page = await store.sessions("192.0.2.1", offset, 10)
    assert page.total == 2
    assert [each.session.session.session_id for each in page.leases] == ["b", "a"][offset:]


async def test_expired_sessions_are_not_listed(store: PolicyStore, clock: ManualClock) -> None:
    await store.settle([opening("a")], soon())
    clock.advance(30)
    assert (await store.sessions("", 0, 10)).total == 0
    assert (await store.sessions("192.0.2.1", 0, 10)).total == 0


async def test_more_expired_leases_than_one_sweep_takes_count_for_nothing(
    store: PolicyStore, clock: ManualClock
) -> None:
    many = tuple(progress(f"s{number:04}") for number in range(2500))
    await store.settle([Renew(many)], soon())
    clock.advance(30)
    caps = Caps(total=1)
    assert await store.settle([opening("new", caps=caps)], soon()) == [Standing.GRANTED]
    late = opening("s2499", caps=caps)
    assert await store.settle([late], soon()) == [Standing.TOTAL_REACHED]


async def test_an_expired_session_that_was_not_swept_yet_begins_anew(
    store: PolicyStore, clock: ManualClock
) -> None:
    many = tuple(progress(f"s{number:04}") for number in range(2500))
    await store.settle([Renew(many)], soon())
    clock.advance(30)
    await store.settle([opening("s2499")], soon())
    (lease,) = (await store.sessions("192.0.2.1", 0, 9)).leases
    assert lease.session.opened_at_ms == clock.unix_ms()


async def test_the_cap_per_destination_counts_whoever_goes_there(
    store: PolicyStore, clock: ManualClock
) -> None:
    one = Caps(per_destination=1)
    here, other_source, elsewhere = (
        Open(going_to(progress(name, source), server), one)
        for name, source, server in (
            ("a", "192.0.2.1", "198.51.100.1"),
            ("b", "192.0.2.2", "198.51.100.1"),
            ("c", "192.0.2.2", "198.51.100.2"),
        )
    )
    assert await store.settle([here, other_source, elsewhere], soon()) == [
        Standing.GRANTED,
        Standing.DESTINATION_REACHED,
        Standing.GRANTED,
    ]
    await store.settle([Release((SessionId("a"),))], soon())
    assert await store.settle([other_source], soon()) == [Standing.GRANTED]
    clock.advance(LEASE_S)  # whose edge was killed: nobody gives it back
    assert await store.settle([here], soon()) == [Standing.GRANTED]


async def test_a_renewal_holds_the_slot_at_its_destination(
    store: PolicyStore, clock: ManualClock
) -> None:
    one, mine = Caps(per_destination=1), going_to(progress("a"), "198.51.100.1")
    await store.settle([Open(mine, one)], soon())
    clock.advance(LEASE_S - 1)
    await store.settle([Renew((mine,))], soon())
    clock.advance(LEASE_S - 1)
    late = Open(going_to(progress("b", "192.0.2.2"), "198.51.100.1"), one)
    assert await store.settle([late], soon()) == [Standing.DESTINATION_REACHED]


def going_to(session: SessionProgress, server: str) -> SessionProgress:
    destination = Endpoint(server, 25)
    return replace(session, session=replace(session.session, original_destination=destination))
