"""One stream, natural batches, and an answer for every session whatever policy does."""

from collections.abc import AsyncIterator, Callable

import pytest

from edge_proxy.clients import policy_client
from edge_proxy.clients.policy_client import BATCH, PolicyClient
from service_kit.grpc_channels import open_channel
from service_kit.tasks import Tasks
from smtpgated_contracts.values.asked import SessionAsked
from smtpgated_contracts.values.mail import EdgeId, SessionRef
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind
from tests.support.eventually import eventually, turns
from tests.support.fake_policy import FakePolicy, refuse, silent
from tests.support.fake_service import NONSENSE
from tests.support.samples import progress_of, session_ref
from tests.support.wire import Wire

LOCALLY = Decision(DecisionKind.DEFER, "decided locally")
REFUSED = Decision(DecisionKind.REFUSE, "limit:fake")
PATIENCE_S = 0.1
FOR_EVER_S = 3600.0

Connect = Callable[[str, float], PolicyClient]


class Decided(list[Decision]):
    """What one session was told."""

    def __call__(self, decision: Decision) -> None:
        self.append(decision)


def ask(client: PolicyClient, session: SessionRef | None = None) -> Decided:
    asked = session or session_ref()
    decided = Decided()
    client.open_session(SessionAsked(asked), lambda: progress_of(asked), decided)
    return decided


@pytest.fixture
async def connect(tasks: Tasks) -> AsyncIterator[Connect]:
    channels = []

    def connected(target: str, patience_s: float = FOR_EVER_S) -> PolicyClient:
        channels.append(open_channel(target, None))
        client = PolicyClient(
            channels[-1], tasks, EdgeId("edge"), patience_s, lambda _asked: LOCALLY
        )
        client.start()
        return client

    yield connected
    await tasks.aclose()
    for channel in channels:
        await channel.close()


async def standing(client: PolicyClient) -> PolicyClient:
    await eventually(lambda: client._connected)
    return client


@pytest.fixture
async def client(connect: Connect, policy: FakePolicy) -> PolicyClient:
    return await standing(connect(policy.target, FOR_EVER_S))


async def test_policy_decides(client: PolicyClient, policy: FakePolicy) -> None:
    admitted = ask(client)
    await eventually(lambda: admitted == [ADMITTED])
    policy.decide = refuse
    session = session_ref()
    refused = ask(client, session)
    assert refused == []
    await eventually(lambda: refused == [REFUSED])
    assert policy.opened[-1] == session


async def test_questions_that_come_while_a_write_is_under_way_travel_together(
    client: PolicyClient, policy: FakePolicy
) -> None:
    batches = len(policy.batches)
    decided = [ask(client) for _ in range(100)]
    await eventually(lambda: all(decided))
    assert len(policy.batches) - batches <= 3
    assert len(policy.opened) == 100


async def test_a_batch_is_bounded(client: PolicyClient, policy: FakePolicy) -> None:
    decided = [ask(client) for _ in range(2 * BATCH)]
    await eventually(lambda: all(decided))
    assert max(map(len, policy.batches)) == BATCH
    assert len(policy.opened) == 2 * BATCH


async def test_ended_sessions_are_told_together_and_once(
    client: PolicyClient, policy: FakePolicy
) -> None:
    sessions = [session_ref() for _ in range(50)]
    decided = [ask(client, each) for each in sessions]
    await eventually(lambda: all(decided))
    for each in sessions:
        client.close_session(each.session_id)
        client.close_session(each.session_id)
    await eventually(lambda: len(policy.closed) == 50)
    assert policy.closed == [each.session_id for each in sessions]
    assert policy.of_kind("close_sessions") == 1


async def test_the_end_of_a_session_is_never_told_before_its_beginning_was_answered(
    client: PolicyClient, policy: FakePolicy
) -> None:
    sessions = [session_ref() for _ in range(2 * BATCH + 1)]
    decided = [ask(client, each) for each in sessions]
    client.close_session(sessions[-1].session_id)
    await eventually(lambda: policy.closed)
    assert all(decided)
    assert policy.opened == sessions
    assert policy.batches[-1] == ("close_sessions",)
    assert policy.of_kind("close_sessions") == 1


async def test_a_session_that_ended_while_policy_was_silent_is_closed_when_patience_ends(
    connect: Connect, policy: FakePolicy
) -> None:
    policy.decide = silent
    client = await standing(connect(policy.target, PATIENCE_S))
    session = session_ref()
    decided = ask(client, session)
    client.close_session(session.session_id)
    assert policy.closed == []
    await eventually(lambda: policy.closed == [session.session_id])
    assert decided == [LOCALLY]


async def test_a_session_nobody_opened_is_not_closed(
    client: PolicyClient, policy: FakePolicy
) -> None:
    client.close_session(session_ref().session_id)
    decided = ask(client)
    await eventually(lambda: decided)
    assert policy.closed == []


async def test_news_of_ended_sessions_travel_with_the_next_question(
    client: PolicyClient, policy: FakePolicy
) -> None:
    session = session_ref()
    decided = ask(client, session)
    await eventually(lambda: decided)
    client.close_session(session.session_id)
    again = ask(client)
    await eventually(lambda: again)
    assert policy.batches[-1] == ("open_session", "close_sessions")


async def test_flush_tells_every_ended_session(client: PolicyClient, policy: FakePolicy) -> None:
    sessions = [session_ref() for _ in range(3 * BATCH)]
    decided = [ask(client, each) for each in sessions]
    await eventually(lambda: all(decided))
    for each in sessions:
        client.close_session(each.session_id)
    await client.flush()
    await eventually(lambda: len(policy.closed) == 3 * BATCH)


async def test_open_sessions_are_renewed_until_they_are_closed(
    connect: Connect, policy: FakePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_client, "RENEW_S", 0.02)
    client = await standing(connect(policy.target, FOR_EVER_S))
    session, other = session_ref(), session_ref()
    decided = [ask(client, session), ask(client, other)]
    await eventually(lambda: all(decided))
    policy.renewed.clear()
    await eventually(lambda: len(policy.renewed) >= 4)
    assert progress_of(session) in policy.renewed
    client.close_session(other.session_id)
    await eventually(lambda: policy.closed)
    policy.renewed.clear()
    await eventually(lambda: len(policy.renewed) >= 2)
    assert {each.session for each in policy.renewed} == {session}


async def test_renewals_of_many_sessions_are_several_questions(
    client: PolicyClient, policy: FakePolicy, connect: Connect
) -> None:
    decided = [ask(client) for _ in range(BATCH + 1)]
    await eventually(lambda: all(decided))
    await policy.stop()
    await policy.start()
    await eventually(lambda: len(policy.renewed) == BATCH + 1)
    assert policy.of_kind("renew_sessions") == 2


async def test_without_a_stream_the_local_limits_decide_later_but_soon(
    connect: Connect, policy: FakePolicy
) -> None:
    await policy.stop()
    client = connect(policy.target, FOR_EVER_S)
    decided = ask(client)
    assert decided == []
    await turns()
    assert decided == [LOCALLY]


async def test_patience_ends_and_the_local_limits_decide_once(
    connect: Connect, policy: FakePolicy
) -> None:
    policy.decide = silent
    client = await standing(connect(policy.target, PATIENCE_S))
    decided = [ask(client) for _ in range(5)]
    await eventually(lambda: all(decided))
    assert all(each == [LOCALLY] for each in decided)


async def test_an_answer_that_comes_too_late_is_no_second_answer(
    connect: Connect, policy: FakePolicy
) -> None:
    policy.reading.clear()
    client = connect(policy.target, PATIENCE_S)
    await standing(client)
    late = ask(client)
    await eventually(lambda: late == [LOCALLY])
    policy.reading.set()
    again = ask(client)
    await eventually(lambda: again == [ADMITTED])
    assert late == [LOCALLY]


async def test_a_session_that_ended_while_its_question_was_out_is_closed_too(
    client: PolicyClient, policy: FakePolicy
) -> None:
    session = session_ref()
    decided = ask(client, session)
    client.close_session(session.session_id)
    await eventually(lambda: policy.closed == [session.session_id])
    await eventually(lambda: decided == [ADMITTED])


async def test_when_the_stream_breaks_all_that_was_asked_is_decided_locally(
    connect: Connect, policy: FakePolicy
) -> None:
    policy.decide = silent
    async with Wire(policy.address) as wire:
        client = await standing(connect(wire.target, FOR_EVER_S))
        decided = [ask(client) for _ in range(5)]
        await eventually(lambda: len(policy.opened) == 5)
        await wire.cut()
        await eventually(lambda: all(each == [LOCALLY] for each in decided))
        policy.decide = refuse
        await wire.mend()
        await standing(client)
        decided = [ask(client)]
        await eventually(lambda: decided == [[REFUSED]])
        assert len(policy.renewed) >= 5


@pytest.mark.parametrize("octets", [NONSENSE, b""], ids=["nonsense", "no answers"])
async def test_after_nonsense_policy_is_asked_again_on_a_new_stream(
    connect: Connect, policy: FakePolicy, octets: bytes
) -> None:
    policy.decide = lambda _session: octets
    client = await standing(connect(policy.target, PATIENCE_S))
    decided = ask(client)
    await eventually(lambda: decided == [LOCALLY])
    policy.decide = refuse
    await standing(client)
    again = ask(client)
    await eventually(lambda: again == [REFUSED])
