"""What the one service says is what the other understands: names, locks, exemptions, slots."""

from policy.core.exemptions import Exemption
from policy.core.identities import IdentityEnd, NetworkIdentity
from service_kit.clock import SYSTEM_CLOCK
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind, Lock
from tests.contract.edge_policy.conftest import EdgeSide
from tests.support.eventually import eventually
from tests.support.samples import session_ref

JOE = NetworkIdentity("192.0.2.0/24", "joe")
NAMED = Decision(DecisionKind.ADMIT, identity="joe")
LOCK = Lock("identity:joe", "worm")


async def known(edge: EdgeSide, *entries: NetworkIdentity) -> None:
    revision = await edge.app.store.put_identities(entries)
    assert await edge.app.keeper.reached(revision, 20)


async def test_a_source_is_named_until_its_entry_ends(edge: EdgeSide) -> None:
    assert await edge.ask(session_ref("192.0.2.1")) == ADMITTED
    await known(edge, JOE)
    assert await edge.ask(session_ref("192.0.2.1")) == NAMED
    assert await edge.ask(session_ref("192.0.2.2", "ann")) == ADMITTED
    gone = await edge.app.store.remove_identities([IdentityEnd(JOE.network, "joe")])
    assert await edge.app.keeper.reached(gone.revision, 20)
    assert await edge.ask(session_ref("192.0.2.3")) == ADMITTED


async def test_an_entry_that_has_expired_names_nobody(edge: EdgeSide) -> None:
    long_ago = SYSTEM_CLOCK.unix_ms() - 1
    await known(edge, JOE, NetworkIdentity("192.0.2.7", "ann", expires_at_ms=long_ago))
    assert await edge.ask(session_ref("192.0.2.7")) == NAMED


async def test_the_slots_of_a_name_are_counted_over_its_addresses_and_given_back(
    edge: EdgeSide,
) -> None:
    await known(edge, JOE, NetworkIdentity("2001:db8::/56", "joe"))
    first = session_ref("192.0.2.1")
    assert [await edge.ask(first), await edge.ask(session_ref("2001:db8::1"))] == [NAMED, NAMED]
    over = Decision(DecisionKind.DEFER, "limit:concurrent_sessions_per_identity", "joe")
    assert await edge.ask(session_ref("192.0.2.9")) == over
    edge.client.close_session(first.session_id)
    await edge.client.flush()
    assert await edge.ask(session_ref("192.0.2.9")) == NAMED


async def test_both_sides_hold_a_lock_and_lift_it_for_the_exempt(edge: EdgeSide) -> None:
    await known(edge, JOE)
    joe = session_ref("192.0.2.1", "joe")
    await edge.app.store.put_lock(LOCK)
    await eventually(lambda: edge.lock_on(joe) == LOCK)
    assert LOCK.subject in edge.touched
    refused = Decision(DecisionKind.REFUSE, "lock:worm", "joe")
    assert await edge.ask(session_ref("192.0.2.1")) == refused

    edge.touched.clear()
    await edge.app.store.put_exemption(Exemption("prefix:192.0.2.0/28"))
    await eventually(lambda: edge.state.hold_on(joe) is None)
    assert edge.touched == {"prefix:192.0.2.0/28"}
    assert edge.lock_on(session_ref("192.0.2.99", "joe")) == LOCK
    assert await edge.ask(session_ref("192.0.2.1")) == NAMED
    assert await edge.ask(session_ref("192.0.2.99")) == refused

    await edge.app.store.remove_exemption("prefix:192.0.2.0/28")
    await eventually(lambda: edge.lock_on(joe) == LOCK)
    assert await edge.ask(session_ref("192.0.2.2")) == refused


async def test_whom_the_rulebook_exempts_no_side_locks(edge: EdgeSide) -> None:
    lock = Lock("prefix:198.51.0.0/16", "worm")
    await edge.app.store.put_lock(lock)
    inside, outside = "198.51.100.1", "198.51.99.1"
    await eventually(lambda: edge.lock_on(session_ref(outside)) == lock)
    assert edge.state.hold_on(session_ref(inside)) is None
    assert await edge.ask(session_ref(inside)) == ADMITTED
    assert (await edge.ask(session_ref(outside))).kind is DecisionKind.REFUSE
