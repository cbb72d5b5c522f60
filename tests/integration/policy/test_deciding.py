"""Decide over a real stream, with leases in a real Valkey."""

import asyncio
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind
from tests.contract.policy.samples import progress
from tests.integration.policy.conftest import StartReplica
from tests.integration.policy.farm import Replica, opening
from tests.support.eventually import eventually

SOURCE_LIMIT = Decision(DecisionKind.DEFER, "limit:concurrent_sessions_per_source")
TOTAL_LIMIT = Decision(DecisionKind.DEFER, "limit:concurrent_sessions")
MALFORMED = Decision(DecisionKind.DEFER, "malformed")


@pytest.fixture
def limits(tmp_path: Path) -> dict[str, object]:
    """Three sessions in the farm, two for a source."""
    path = tmp_path / "rulebook.toml"
    path.write_text(
        "schema = 1\n[limits]\nconcurrent_sessions = 3\nconcurrent_sessions_per_source = 2\n"
        '[exempt]\nsources = ["127.0.0.0/8"]\n'
    )
    return {"rulebook": {"file": path}}


@pytest.fixture
async def replica(start: StartReplica, limits: dict[str, object]) -> Replica:
    made: Replica = await start(**limits)
    await eventually(lambda: made.app.readiness.ready)
    return made


async def test_limits_defer_and_name_themselves(replica: Replica) -> None:
    async with replica.edge() as edge:
        stream = edge.questions()
        assert await stream.open("a", "b", "c") == [ADMITTED, ADMITTED, SOURCE_LIMIT]
        assert await stream.open("d", "e", source="192.0.2.2") == [ADMITTED, TOTAL_LIMIT]


async def test_a_closed_session_makes_room(replica: Replica) -> None:
    async with replica.edge() as edge:
        stream = edge.questions()
        await stream.open("a", "b")
        assert await stream.close("a") == [ADMITTED]
        assert await stream.open("c") == [ADMITTED]


async def test_an_exempt_source_has_no_limit_of_its_own_but_counts(replica: Replica) -> None:
    async with replica.edge() as edge:
        stream = edge.questions()
        assert await stream.open("a", "b", "c", source="127.0.0.1") == [ADMITTED] * 3
        assert await stream.open("d") == [TOTAL_LIMIT]


async def test_a_locked_source_is_refused_with_the_locks_cause(replica: Replica) -> None:
    async with replica.edge() as edge, replica.http() as http:
        body = {"subject": "prefix:192.0.2.0/24", "reason": "test", "cause": "worm"}
        assert (await http.post("/api/v1/locks", json=body)).status_code == 201
        stream = edge.questions()
        assert await stream.open("a") == [Decision(DecisionKind.REFUSE, "lock:worm")]
        assert await stream.open("b", source="192.0.3.1") == [ADMITTED]


async def test_a_v4_mapped_source_is_the_same_source(replica: Replica) -> None:
    async with replica.edge() as edge, replica.http() as http:
        await http.post("/api/v1/locks", json={"subject": "address:192.0.2.1", "reason": "test"})
        (decision,) = await edge.questions().open("a", source="::ffff:192.0.2.1")
        assert decision == Decision(DecisionKind.REFUSE, "lock:manual")


@pytest.mark.parametrize(
    "question",
    [
        policy_pb2.Question(),
        policy_pb2.Question(open_session=policy_pb2.OpenSession()),
        opening("", "192.0.2.1"),
        opening("a", "not an address"),
        opening("a", "192.0.2.1 "),
        opening("x" * 129),
        opening("a", identity="x" * 257),
        policy_pb2.Question(
            renew_sessions=policy_pb2.RenewSessions(sessions=[policy_pb2.SessionProgress()])
        ),
    ],
    ids=lambda question: str(question).replace("\n", " ")[:60],
)
async def test_a_malformed_question_is_deferred_and_the_stream_goes_on(
    replica: Replica, question: policy_pb2.Question
) -> None:
    async with replica.edge() as edge:
        stream = edge.questions()
        asked = policy_pb2.Question()
        asked.CopyFrom(question)
        assert await stream.ask(opening("a"), asked, opening("b")) == [
            ADMITTED,
            MALFORMED,
            ADMITTED,
        ]


async def test_an_empty_batch_is_answered_with_an_empty_one(replica: Replica) -> None:
    async with replica.edge() as edge:
        stream = edge.questions()
        await stream.call.write(policy_pb2.QuestionBatch(edge_id="edge-1"))
        answers = await stream.call.read()
        assert isinstance(answers, policy_pb2.AnswerBatch)
        assert list(answers.answers) == []


async def test_batches_written_without_waiting_are_all_answered(replica: Replica) -> None:
    async with replica.edge() as edge:
        call = edge.stub.Decide()
        for number in range(1, 201):
            question = opening(f"s{number}", "127.0.0.1")
            question.id = number
            await call.write(policy_pb2.QuestionBatch(edge_id="edge-1", questions=[question]))
        answered: set[int] = set()
        while len(answered) < 200:
            answers = await call.read()
            assert isinstance(answers, policy_pb2.AnswerBatch)
            answered |= {each.question_id for each in answers.answers}
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK


async def test_leases_of_an_edge_that_vanished_end_by_themselves(
    start: StartReplica, limits: dict[str, object]
) -> None:
    replica = await start(**limits, redis={"lease_s": 0.3})
    await eventually(lambda: replica.app.readiness.ready)
    async with replica.edge() as gone:
        await gone.questions().open("a", "b")
    async with replica.edge() as edge:
        stream = edge.questions()
        async with asyncio.timeout(20):
            while await stream.open("c") != [ADMITTED]:
                pass
        async with replica.http() as http:
            page = (await http.get("/api/v1/sessions")).json()
        assert [each["session_id"] for each in page["items"]] in ([], ["c"])


async def test_renewed_sessions_keep_their_slots_and_show_their_phase(replica: Replica) -> None:
    async with replica.edge() as edge, replica.http() as http:
        stream = edge.questions()
        await stream.open("a")
        described = progress("a", phase="content", transactions=4)
        assert await stream.renew(described, progress("unknown before")) == [ADMITTED]
        page = (await http.get("/api/v1/sessions", params={"source": "192.0.2.1"})).json()
        found = {each["session_id"]: each["phase"] for each in page["items"]}
        assert found == {"a": "content", "unknown before": ""}


async def test_a_tunnel_shows_its_octets_and_how_many_messages_it_seems_to_carry(
    replica: Replica,
) -> None:
    async with replica.edge() as edge, replica.http() as http:
        stream = edge.questions()
        await stream.open("a")
        tunnel = replace(
            progress("a", phase="tunnel"), octets_up=2**40, octets_down=900, estimated_messages=17
        )
        assert await stream.renew(tunnel) == [ADMITTED]
        page = (await http.get("/api/v1/sessions", params={"source": "192.0.2.1"})).json()
        (session,) = page["items"]
        assert (session["octets_up"], session["octets_down"]) == (2**40, 900)
        assert (session["estimated_messages"], session["transactions"]) == (17, 0)


async def test_drain_ends_the_stream_in_good_order_after_what_was_asked(replica: Replica) -> None:
    async with replica.edge() as edge:
        stream = edge.questions()
        await stream.open("a")
        watching = edge.watch()
        await watching.snapshot()
        await replica.stop()
        assert await stream.call.read() is grpc.aio.EOF
        assert await stream.call.code() is grpc.StatusCode.OK
        assert await watching.call.read() is grpc.aio.EOF
        assert await watching.call.code() is grpc.StatusCode.OK
