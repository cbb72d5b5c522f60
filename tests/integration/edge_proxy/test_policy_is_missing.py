"""Policy is away, was never seen, is silent or talks nonsense: sessions go on by what is known.

Rows of the table in docs/failure-stances.md that are about policy.
"""

import pytest
from google.protobuf.message import Message

from rulebook.defaults import DEFAULT_DOCUMENT
from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.locks import lock_to_wire
from smtpgated_contracts.values.policy import Lock
from tests.support.edge import InnerEdge, inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import LOCKING_RULEBOOK, FakeFarm, fake_farm
from tests.support.fake_policy import defer, refuse, silent
from tests.support.fake_scanner import INFECTED_WORD
from tests.support.fake_service import NONSENSE
from tests.support.wire import Wire

HELLO = b"hello\r\n"
FEW_EACH = LOCKING_RULEBOOK.replace(
    "concurrent_sessions_per_source = 50", "concurrent_sessions_per_source = 2"
)
FEW = LOCKING_RULEBOOK.replace("concurrent_sessions = 20000", "concurrent_sessions = 2")
HASTY = {"policy": {"patience_ms": 50}}
UNSAID = policy_pb2.AnswerBatch(answers=[policy_pb2.Answer(question_id=1)]).SerializeToString()


async def greeting_of(edge: InnerEdge, source: str = "127.0.0.1") -> tuple[int, str]:
    reply = await edge.greeting(source)
    return reply.code, reply.text[:5]


async def test_policy_refuses_the_session(farm: FakeFarm, edge: InnerEdge) -> None:
    farm.policy.decide = refuse
    assert await greeting_of(edge) == (554, "5.7.1")
    session = await edge.until_said("session")
    assert (session["closed_by"], session["detail"]) == ("policy", "limit:fake")
    assert not any(each.commands for each in farm.far.sessions)


async def test_policy_defers_the_session(farm: FakeFarm, edge: InnerEdge) -> None:
    farm.policy.decide = defer
    assert await greeting_of(edge) == (421, "4.7.0")


async def test_policy_away_rulebook_and_locks_stay_in_force() -> None:
    async with fake_farm(rulebook=LOCKING_RULEBOOK) as farm:
        farm.policy.locks = {"address:127.0.0.2": Lock("address:127.0.0.2", "by hand")}
        async with inner_edge(farm) as edge:
            await edge.until_greeted(554, "127.0.0.2")
            await farm.policy.stop()
            await edge.until_said("policy watch ended")
            await edge.until_said("policy stream ended")

            assert await greeting_of(edge, "127.0.0.2") == (554, "5.7.1")
            async with edge.client() as client:
                await client.greeted()
                assert (await client.deliver(HELLO)).code == 250
                assert (await client.deliver(INFECTED_WORD + b"\r\n")).code == 550
            line = await edge.until_said("transaction", disposition="refuse")
            assert line["rule"] == "infected"


async def test_policy_away_local_limit_of_a_source_is_kept() -> None:
    async with fake_farm(rulebook=FEW_EACH) as farm, inner_edge(farm) as edge:
        await farm.policy.stop()
        await edge.until_said("policy stream ended")
        async with edge.client("127.0.0.2") as one, edge.client("127.0.0.2") as two:
            await one.greeted()
            await two.greeted()
            assert await greeting_of(edge, "127.0.0.2") == (421, "4.7.0")
            assert (await greeting_of(edge, "127.0.0.3"))[0] == 220
        await eventually(lambda: len(edge.said("session")) == 4)
        assert (await greeting_of(edge, "127.0.0.2"))[0] == 220


async def test_policy_away_local_limit_of_all_is_kept() -> None:
    async with fake_farm(rulebook=FEW) as farm, inner_edge(farm) as edge:
        await farm.policy.stop()
        await edge.until_said("policy stream ended")
        async with edge.client("127.0.0.2") as one, edge.client("127.0.0.3") as two:
            await one.greeted()
            await two.greeted()
            assert await greeting_of(edge, "127.0.0.4") == (421, "4.7.0")


async def test_policy_that_is_back_decides_again_and_learns_of_our_sessions(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    async with edge.client() as client:
        await client.greeted()
        await farm.policy.stop()
        await edge.until_said("policy stream ended")
        await farm.policy.start()
        await edge.until_said("policy stream opened", count=2)
        await eventually(lambda: farm.policy.renewed)
        (known,) = farm.policy.renewed
        assert known.session == farm.policy.opened[0]
        assert known.phase == "command"
        farm.policy.decide = refuse
        assert await greeting_of(edge) == (554, "5.7.1")


async def test_policy_never_seen_stance_closed() -> None:
    async with fake_farm(rulebook=None) as farm, inner_edge(farm, wait_for_policy=False) as edge:
        assert await greeting_of(edge) == (421, "4.3.2")
        farm.policy.put_rulebook(DEFAULT_DOCUMENT)
        await edge.until_said("rulebook in force")
        assert (await greeting_of(edge))[0] == 220
    assert len(farm.far.sessions) == 1


async def test_policy_never_seen_stance_open() -> None:
    async with fake_farm() as farm:
        await farm.policy.stop()
        settings = {"policy": {"stance": "open"}}
        async with (
            inner_edge(farm, settings, wait_for_policy=False) as edge,
            edge.client() as client,
        ):
            await client.greeted()
            assert (await client.deliver(HELLO)).code == 250
            assert (await client.deliver(INFECTED_WORD + b"\r\n")).code == 550
    assert farm.far.message_count == 1


async def test_policy_silent_the_session_is_admitted_when_patience_ends(farm: FakeFarm) -> None:
    farm.policy.decide = silent
    async with inner_edge(farm, HASTY) as edge:
        assert (await greeting_of(edge))[0] == 220
        await eventually(lambda: len(farm.policy.closed) == 1)
    assert len(farm.policy.opened) == 1


async def test_policy_frozen_the_session_is_admitted_when_patience_ends(farm: FakeFarm) -> None:
    """The network swallows everything: nothing is answered and nothing is reset."""
    async with Wire(farm.policy.address) as wire:
        settings = {"policy": {"target": wire.target, "patience_ms": 50}}
        async with inner_edge(farm, settings) as edge:
            wire.silence()
            assert (await greeting_of(edge))[0] == 220
            wire.speak()


async def test_policy_answering_nonsense_the_local_limits_decide(farm: FakeFarm) -> None:
    farm.policy.decide = lambda _session: NONSENSE
    async with inner_edge(farm) as edge:
        assert (await greeting_of(edge))[0] == 220
        await edge.until_said("policy stream ended")
        farm.policy.decide = refuse
        await edge.until_said("policy stream opened", count=2)
        assert await greeting_of(edge) == (554, "5.7.1")


async def test_policy_answering_without_a_decision_the_local_limits_decide(farm: FakeFarm) -> None:
    """Decision 0 is UNSPECIFIED: nobody said admit. The second question gets no answer at all."""
    farm.policy.decide = lambda _session: UNSAID
    async with inner_edge(farm, HASTY) as edge:
        assert (await greeting_of(edge))[0] == 220
        assert (await greeting_of(edge))[0] == 220


BAD_UPDATES: dict[str, Message | bytes] = {
    "what does not parse": NONSENSE,
    "an update of a kind to come": policy_pb2.WatchUpdate(),
    "a rulebook that is none": policy_pb2.WatchUpdate(
        rulebook=policy_pb2.RulebookRevision(version=9, document="schema = 99")
    ),
    "a lock on nobody": policy_pb2.WatchUpdate(
        lock_changes=policy_pb2.LockChanges(put=[policy_pb2.Lock(cause="x")])
    ),
    "a snapshot with a lock on nobody among others": policy_pb2.WatchUpdate(
        lock_snapshot=policy_pb2.LockSnapshot(
            locks=[policy_pb2.Lock(cause="x"), policy_pb2.Lock(subject="address:127.0.0.2")]
        )
    ),
}


@pytest.mark.parametrize("name", BAD_UPDATES)
async def test_policy_pushing_nonsense_what_is_in_force_stays(name: str) -> None:
    async with fake_farm(rulebook=LOCKING_RULEBOOK) as farm:
        farm.policy.locks = {"address:127.0.0.2": Lock("address:127.0.0.2", "by hand")}
        async with inner_edge(farm) as edge:
            await edge.until_greeted(554, "127.0.0.2")
            farm.policy.push(BAD_UPDATES[name])
            # Updates are taken in order: once this lock holds, the one before it was seen.
            later = Lock("address:127.0.0.3", "later")
            farm.policy.push(
                policy_pb2.WatchUpdate(
                    lock_changes=policy_pb2.LockChanges(put=[lock_to_wire(later)])
                )
            )
            farm.policy.locks[later.subject] = later
            await edge.until_greeted(554, "127.0.0.3")
            assert await greeting_of(edge, "127.0.0.2") == (554, "5.7.1")
            assert (await greeting_of(edge))[0] == 220
            await eventually(lambda: farm.policy.watchers == 1)
