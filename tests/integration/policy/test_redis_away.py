"""Redis away (failure table): policy goes on alone, says so, and reconciles later."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind, Lock
from smtpgated_contracts.values.scan import VerdictKind
from tests.contract.policy.samples import lock, outcome, progress
from tests.contract.policy.valkey import Valkey
from tests.integration.policy.conftest import StartReplica
from tests.integration.policy.farm import QuestionStream, Replica
from tests.support.eventually import eventually

SOURCE_LIMIT = Decision(DecisionKind.DEFER, "limit:concurrent_sessions_per_source")


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """Of this file alone: it is killed."""
    server = Valkey(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def replica(start: StartReplica, tmp_path: Path, valkey: Valkey) -> Replica:
    document = tmp_path / "rulebook.toml"
    document.write_text("schema = 1\n[limits]\nconcurrent_sessions_per_source = 4\n")
    made: Replica = await start(rulebook={"file": document})
    await eventually(lambda: made.app.readiness.ready)
    return made


async def killed(valkey: Valkey, replica: Replica) -> None:
    valkey.kill()
    await eventually(lambda: replica.app.presence.away)


async def restarted(valkey: Valkey, replica: Replica) -> None:
    valkey.start()
    await eventually(lambda: not replica.app.presence.away)


async def sessions(http: httpx.AsyncClient) -> set[str]:
    items = (await http.get("/api/v1/sessions")).json()["items"]
    return {each["session_id"] for each in items}


async def test_decisions_go_on_from_the_local_limiter_and_reconcile_by_renewal(
    replica: Replica, valkey: Valkey
) -> None:
    async with replica.edge() as edge, replica.http() as http:
        stream = edge.questions()
        assert await stream.open("a") == [ADMITTED]
        valkey.kill()
        # Half of four, and one is taken: what was granted before counts.
        assert await stream.open("b", "c") == [ADMITTED, SOURCE_LIMIT]
        assert replica.app.presence.away
        status = (await http.get("/api/v1/status")).json()
        assert (status["ready"], status["store"]["there"], status["sessions"]) == (True, False, 2)
        assert (await http.get("/readyz")).json()["store"] == "away"
        assert "policy_store_away 1.0" in (await http.get("/metrics")).text
        await restarted(valkey, replica)
        await stream.renew(progress("a"), progress("b"))
        assert await sessions(http) == {"a", "b"}
        assert await stream.open("c", "d", "e") == [ADMITTED, ADMITTED, SOURCE_LIMIT]


async def test_names_are_known_while_the_table_cannot_be_changed_and_come_back_with_it(
    replica: Replica, valkey: Valkey
) -> None:
    path, entry = "/api/v1/identities", {"network": "192.0.2.2", "identity": "ann"}
    async with replica.edge() as edge, replica.http() as http:
        stream = edge.questions()
        assert (await http.put(f"{path}/192.0.2.1", json={"identity": "joe"})).status_code == 200
        await killed(valkey, replica)
        for changed in (
            await http.put(f"{path}/192.0.2.2", json={"identity": "ann"}),
            await http.delete(f"{path}/192.0.2.1"),
            await http.post(path, json={"entries": [entry]}),
            await http.post(f"{path}/remove", json={"entries": [{"network": "192.0.2.1"}]}),
        ):
            assert changed.status_code == 503
            assert "retry-after" in changed.headers
        assert await stream.open("a") == [replace(ADMITTED, identity="joe")]
        await restarted(valkey, replica)
        assert (await http.post(path, json={"entries": [entry]})).status_code == 200
        picture = await replica.app.store.picture()
        assert {each.identity for each in picture.identities} == {"joe", "ann"}


async def test_watchers_keep_what_they_had_and_new_ones_are_told_the_same(
    replica: Replica, valkey: Valkey
) -> None:
    await replica.app.store.put_lock(lock())
    async with replica.edge() as edge:
        watching = edge.watch()
        await watching.until(lambda: lock().subject in watching.locks)
        await killed(valkey, replica)
        second = edge.watch()
        await second.snapshot()
        assert second.locks == {lock().subject: lock()}
        await restarted(valkey, replica)
        await replica.app.store.put_lock(lock("address:192.0.2.2"))
        await watching.until(lambda: len(watching.locks) == 2)
        await second.until(lambda: len(second.locks) == 2)


async def test_an_empty_redis_gets_rulebook_locks_and_exemptions_back(
    replica: Replica, valkey: Valkey
) -> None:
    async with replica.http() as http:
        body = {"subject": "address:192.0.2.1", "reason": "test"}
        await http.post("/api/v1/locks", json=body)
        await http.post("/api/v1/exemptions", json=body | {"subject": "identity:me"})
    before = await replica.app.store.picture()
    await killed(valkey, replica)
    await restarted(valkey, replica)
    after = await replica.app.store.picture()
    assert (after.rulebook, after.locks, after.exemptions) == (
        before.rulebook,
        before.locks,
        before.exemptions,
    )


async def test_a_flushed_redis_is_noticed_without_a_lost_connection(
    replica: Replica, valkey: Valkey
) -> None:
    await replica.app.store.put_lock(lock())
    await eventually(lambda: len(replica.app.farm.locks) == 1)
    async with Redis.from_url(valkey.url) as client:
        await client.flushall()
        while not await client.keys("*:rulebook"):
            pass
    assert (await replica.app.store.picture()).locks == (lock(),)


async def test_an_outcomes_lock_holds_here_at_once_and_in_redis_when_it_is_back(
    replica: Replica, valkey: Valkey
) -> None:
    async with replica.edge() as edge:
        watching = edge.watch()
        await watching.snapshot()
        await killed(valkey, replica)
        wanted = Lock("address:192.0.2.7", "infected", 3_601_000, 1_000)
        await edge.report(outcome(VerdictKind.INFECTED, locks=(wanted,)))
        await watching.until(lambda: wanted.subject in watching.locks)
        stream: QuestionStream = edge.questions()
        assert await stream.open("a", source="192.0.2.7") == [
            Decision(DecisionKind.REFUSE, "lock:infected")
        ]
        await restarted(valkey, replica)
    assert [each.subject for each in (await replica.app.store.picture()).locks] == [wanted.subject]
    assert wanted.subject in watching.locks


async def test_changes_by_hand_are_not_taken_while_redis_is_away(
    replica: Replica, valkey: Valkey
) -> None:
    async with replica.http() as http:
        await killed(valkey, replica)
        body = {"subject": "address:192.0.2.1", "reason": "test"}
        for path in ("/api/v1/locks", "/api/v1/exemptions"):
            answer = await http.post(path, json=body)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await http.get("/api/v1/locks")).json()["total"] == 0
        assert (await http.get("/api/v1/sessions")).status_code == 503
        await restarted(valkey, replica)
        assert (await http.post("/api/v1/locks", json=body)).status_code == 201


async def test_a_new_replica_restores_an_empty_redis_from_the_copy_on_disk(
    start: StartReplica, replica: Replica, valkey: Valkey
) -> None:
    await replica.app.store.put_lock(lock())
    await eventually(lambda: len(replica.app.farm.locks) == 1)
    before = await replica.app.store.picture()
    await replica.stop()
    valkey.kill()
    valkey.start()
    second: Replica = await start()
    await eventually(lambda: second.app.readiness.ready)
    after = await second.app.store.picture()
    assert (after.rulebook, after.locks) == (before.rulebook, before.locks)


async def test_started_without_redis_it_is_not_ready_until_redis_comes(
    start: StartReplica, valkey: Valkey
) -> None:
    valkey.kill()
    replica: Replica = await start()
    async with replica.http(token=None) as http:
        assert (await http.get("/readyz")).status_code == 503
        assert (await http.get("/healthz")).status_code == 200
        valkey.start()
        await eventually(lambda: replica.app.readiness.ready)
        assert (await http.get("/readyz")).status_code == 200


async def test_connections_do_not_pile_up_over_restarts(replica: Replica, valkey: Valkey) -> None:
    async with replica.edge() as edge:
        stream = edge.questions()
        for round_number in range(3):
            await killed(valkey, replica)
            for at in range(20):
                await stream.open(f"{round_number}-{at}", source=f"10.0.0.{at}")
            await restarted(valkey, replica)
            await stream.open(f"again-{round_number}")
    async with Redis.from_url(valkey.url) as client:
        connected = await client.client_list()
    assert len(connected) <= 2 + 1 + 1, "one for calls, one for the feed, one for chores, and ours"
