"""Decisions from memory and store, or from this replica alone."""

import asyncio
from dataclasses import replace

import pytest

from policy.core.decide import MALFORMED
from policy.core.exemptions import Exemption
from policy.core.farm import Picture, StoredRulebook
from policy.core.identities import NetworkIdentity
from policy.core.leases import Release, Renew
from policy.replica.decider import Decider, Exceeded
from service_kit.failures import FailureKind, Unavailable
from smtpgated_contracts.values.asked import MailAsked
from smtpgated_contracts.values.mail import Envelope, SessionId
from smtpgated_contracts.values.policy import (
    ADMITTED,
    Decision,
    DecisionKind,
    Lock,
    Stage,
    StageUntil,
)
from tests.contract.policy.samples import asks, asks_data, lock, progress, session, soon
from tests.unit.policy.replica.conftest import Parts

DOCUMENT = "schema = 1\n[limits]\nconcurrent_sessions_per_source = 4\n"
LIMITED = Decision(DecisionKind.DEFER, "limit:concurrent_sessions_per_source")
LOCKED = Decision(DecisionKind.REFUSE, "lock:virus")


@pytest.fixture
def decider(parts: Parts) -> Decider:
    locks = (lock("address:192.0.2.66"),)
    parts.farm.load(Picture(1, StoredRulebook(1, DOCUMENT), locks), 0)
    parts.presence.returned()
    return _decider(parts)


def _decider(parts: Parts, exceeded: Exceeded = lambda _rate, _session, _user: None) -> Decider:
    return Decider(parts.farm, parts.store, parts.limiter, parts.presence, parts.clock, exceeded)


async def test_answers_stand_in_the_order_of_the_questions(decider: Decider) -> None:
    asked = [
        None,
        asks("a", "192.0.2.66"),
        asks("b"),
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
    joe, ann = asks("a", "2001:db8::1"), asks("b", "2001:db8:1::1", "ann")
    admitted = replace(ADMITTED, identity="joe")
    assert await decider.decide([joe, ann], soon()) == [admitted, ADMITTED]
    leases = (await parts.store.sessions("", 0, 9)).leases
    assert {each.identity for each in leases} == {"joe", "ann"}
    parts.farm.locks.put(lock("identity:joe"))
    again = asks("c", "2001:db8::2")
    assert await decider.decide([again], soon()) == [replace(LOCKED, identity="joe")]


async def test_a_batch_of_refusals_does_not_ask_the_store(decider: Decider, parts: Parts) -> None:
    parts.store.away = "nobody must ask"
    assert await decider.decide([asks("a", "192.0.2.66"), None], soon()) == [LOCKED, MALFORMED]
    assert not parts.presence.away


async def test_a_lost_store_is_noticed_and_not_asked_again(decider: Decider, parts: Parts) -> None:
    parts.store.away = "gone"
    assert await decider.decide([asks("a"), asks("b"), asks("c")], soon()) == [
        ADMITTED,
        ADMITTED,
        LIMITED,
    ]
    assert parts.presence.away
    parts.store.away = ""
    await decider.decide([Release((SessionId("a"),)), asks("d")], soon())
    assert (await parts.store.sessions("", 0, 9)).total == 0, "the keeper says when it is back"


async def test_what_the_store_granted_counts_while_it_is_away(
    decider: Decider, parts: Parts
) -> None:
    await decider.decide([asks("a"), asks("b")], soon())
    parts.presence.lost(Unavailable("store", FailureKind.UNREACHABLE, retryable=True))
    assert await decider.decide([asks("c")], soon()) == [LIMITED]


async def test_a_session_the_store_deferred_is_not_counted_here(
    decider: Decider, parts: Parts
) -> None:
    await decider.decide([asks(f"s{at}") for at in range(6)], soon())
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
    assert await decider.decide([asks("a")], deadline) == [ADMITTED]
    assert "no answer in time" in parts.presence.why


RATES = """schema = 1
[[rates]]
id = "messages"
count = "messages"
per = "source"
limit = 2
window_s = 60
action = "refuse"
reply = "Too many messages"
[[rates]]
id = "recipients"
count = "recipients"
per = "source"
limit = 10
window_s = 60
[[rates]]
id = "watched"
count = "messages"
per = "total"
limit = 1
window_s = 60
mode = "shadow"
[penalty]
throttle_share = 0.5
stages = { throttle = 10, refuse = 100 }
"""
TOO_MANY_RECIPIENTS = Decision(DecisionKind.DEFER, "limit:recipients")


@pytest.fixture
def rated(parts: Parts) -> Parts:
    parts.farm.load(Picture(1, StoredRulebook(1, RATES)), 0)
    parts.presence.returned()
    return parts


async def test_a_rate_says_no_in_its_own_words_and_what_would_have_is_told(rated: Parts) -> None:
    decider = _decider(rated)
    first, second, third = [
        (await decider.decide([asks_data(f"s{number}")], soon()))[0] for number in range(3)
    ]
    assert first is ADMITTED
    assert second == Decision(DecisionKind.ADMIT, shadows=("watched",))
    assert third == Decision(
        DecisionKind.REFUSE, "limit:messages", reply="Too many messages", shadows=("watched",)
    )


async def test_what_is_refused_spends_nothing(rated: Parts) -> None:
    decider = _decider(rated)
    assert (await decider.decide([asks_data("a", 11)], soon()))[0] == TOO_MANY_RECIPIENTS
    assert (await decider.decide([asks_data("b", 10)], soon()))[0].kind is DecisionKind.ADMIT


async def test_before_mail_it_is_told_how_many_recipients_are_left(rated: Parts) -> None:
    decider = _decider(rated)
    await decider.decide([asks_data("a", 7)], soon())
    mail = MailAsked(session("b"), 1, Envelope(b"me", b"a@b.example"))
    assert (await decider.decide([mail], soon()))[0].recipients_left == 3


async def test_who_is_throttled_has_a_part_of_each_limit(rated: Parts) -> None:
    stages = (StageUntil(Stage.THROTTLE, 10**15),)
    rated.farm.locks.put(Lock("address:192.0.2.1", "points", 10**15, stages=stages))
    decider = _decider(rated)
    assert (await decider.decide([asks("s")], soon()))[0] is ADMITTED
    assert (await decider.decide([asks_data("a", 6)], soon()))[0] == TOO_MANY_RECIPIENTS
    assert (await decider.decide([asks_data("b", 5)], soon()))[0].kind is DecisionKind.ADMIT


async def test_exemption_wins_over_rates(rated: Parts) -> None:
    rated.farm.exemptions.put(Exemption("address:192.0.2.1"))
    decider = _decider(rated)
    kinds = {
        (await decider.decide([asks_data(f"s{number}", 100)], soon()))[0].kind
        for number in range(5)
    }
    assert kinds == {DecisionKind.ADMIT}


async def test_a_rate_that_said_no_is_told_with_whom_it_hit(rated: Parts) -> None:
    told: list[str] = []
    decider = _decider(rated, lambda rate, who, _user: told.append(f"{rate.id} {who.session_id}"))
    await decider.decide([asks_data("a", 11)], soon())
    assert told == ["recipients a"]


async def test_without_the_store_a_share_is_given_away_and_owed(rated: Parts) -> None:
    rated.store.away = "gone"
    decider = _decider(rated)
    assert (await decider.decide([asks_data("a", 5)], soon()))[0].kind is DecisionKind.ADMIT
    assert (await decider.decide([asks_data("b", 1)], soon()))[0].kind is DecisionKind.REFUSE
    rated.store.away = ""
    rated.presence.returned()
    third = (await decider.decide([asks_data("c", 6)], soon()))[0]
    assert third.cause == "limit:recipients"
    assert (await decider.decide([asks_data("d", 5)], soon()))[0].kind is DecisionKind.ADMIT
