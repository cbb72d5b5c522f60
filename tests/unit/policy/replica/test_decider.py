"""Decisions from memory and store, or from this replica alone."""

import asyncio
from dataclasses import replace

import pytest

from policy.core.decide import MALFORMED
from policy.core.farm import Picture, StoredRulebook
from policy.core.identities import NetworkIdentity
from policy.core.leases import Release, Renew
from policy.replica.decider import Decider
from service_kit.failures import FailureKind, Unavailable
from smtpgated_contracts.values.mail import SessionId
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind
from tests.contract.policy.samples import lock, progress, session, soon
from tests.unit.policy.replica.conftest import Parts

DOCUMENT = "schema = 1\n[limits]\nconcurrent_sessions_per_source = 4\n"
LIMITED = Decision(DecisionKind.DEFER, "limit:concurrent_sessions_per_source")
LOCKED = Decision(DecisionKind.REFUSE, "lock:virus")


@pytest.fixture
def decider(parts: Parts) -> Decider:
    locks = (lock("address:192.0.2.66"),)
    parts.farm.load(Picture(1, StoredRulebook(1, DOCUMENT), locks), 0)
    parts.presence.returned()
    return Decider(parts.farm, parts.store, parts.limiter, parts.presence, parts.clock)


async def test_answers_stand_in_the_order_of_the_questions(decider: Decider) -> None:
    asked = [
        None,
        session("a", "192.0.2.66"),
        session("b"),
        Renew((progress("c"),)),
        Release((SessionId("b"),)),
    ]
    assert await decider.decide(asked, soon()) == [
        MALFORMED,
        LOCKED,
        ADMITTED,
        ADMITTED,
        ADMITTED,
    ]


async def test_whom_the_table_knows_is_named_locked_and_counted_as_himself(
    decider: Decider, parts: Parts
) -> None:
    parts.farm.identities.put(NetworkIdentity("2001:db8::/32", "joe"))
    joe, ann = session("a", "2001:db8::1"), session("b", "2001:db8:1::1", "ann")
    admitted = replace(ADMITTED, identity="joe")
    assert await decider.decide([joe, ann], soon()) == [admitted, ADMITTED]
    leases = (await parts.store.sessions("", 0, 9)).leases
    assert {each.identity for each in leases} == {"joe", "ann"}
    parts.farm.locks.put(lock("identity:joe"))
    again = session("c", "2001:db8::2")
    assert await decider.decide([again], soon()) == [replace(LOCKED, identity="joe")]


async def test_a_batch_of_refusals_does_not_ask_the_store(decider: Decider, parts: Parts) -> None:
    parts.store.away = "nobody must ask"
    assert await decider.decide([session("a", "192.0.2.66"), None], soon()) == [LOCKED, MALFORMED]
    assert not parts.presence.away


async def test_a_lost_store_is_noticed_and_not_asked_again(decider: Decider, parts: Parts) -> None:
    parts.store.away = "gone"
    assert await decider.decide([session("a"), session("b"), session("c")], soon()) == [
        ADMITTED,
        ADMITTED,
        LIMITED,
    ]
    assert parts.presence.away
    parts.store.away = ""
    await decider.decide([Release((SessionId("a"),)), session("d")], soon())
    assert (await parts.store.sessions("", 0, 9)).total == 0, "the keeper says when it is back"


async def test_what_the_store_granted_counts_while_it_is_away(
    decider: Decider, parts: Parts
) -> None:
    await decider.decide([session("a"), session("b")], soon())
    parts.presence.lost(Unavailable("store", FailureKind.UNREACHABLE, retryable=True))
    assert await decider.decide([session("c")], soon()) == [LIMITED]


async def test_a_session_the_store_deferred_is_not_counted_here(
    decider: Decider, parts: Parts
) -> None:
    await decider.decide([session(f"s{at}") for at in range(6)], soon())
    assert parts.limiter.live(round(parts.clock.monotonic_s() * 1000)) == 4


async def test_a_store_that_hangs_is_answered_for_in_time(
    decider: Decider, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_requests: object, deadline: float) -> list[object]:
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.Event().wait()
        except TimeoutError:
            raise Unavailable("store", FailureKind.TIMED_OUT, retryable=True) from None
        return []

    monkeypatch.setattr(parts.store, "settle", hang)
    deadline = asyncio.get_running_loop().time() + 0.01
    assert await decider.decide([session("a")], deadline) == [ADMITTED]
    assert "no answer in time" in parts.presence.why
