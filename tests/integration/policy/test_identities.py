"""The identity table over real HTTP, a real Valkey and a real stream of questions."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from policy.admin.guards import MOST_BODY_OCTETS
from policy.ports import PolicyStore
from policy.store.redis.store import RedisStore
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind
from tests.integration.policy.conftest import StartReplica
from tests.integration.policy.farm import Replica, opening
from tests.support.eventually import eventually

PATH = "/api/v1/identities"
JOE = replace(ADMITTED, identity="joe")


async def put(http: httpx.AsyncClient, network: str, **said: Any) -> httpx.Response:
    return await http.put(f"{PATH}/{network}", json={"identity": "joe"} | said)


async def test_what_was_put_is_found_by_network_by_identity_and_by_address(
    http: httpx.AsyncClient,
) -> None:
    answer = await put(http, "2001:DB8:17::/56", duration_s=60)
    assert answer.status_code == 200
    entry = answer.json()
    assert (entry["network"], entry["identity"], entry["author"]) == (
        "2001:db8:17::/56",
        "joe",
        "admin",
    )
    began, end = (datetime.fromisoformat(entry[each]) for each in ("created_at", "expires_at"))
    assert end - began == timedelta(seconds=60)
    await put(http, "2001:db8::/32", identity="isp")
    assert (await http.get(f"{PATH}/2001:db8:17::%2F56")).json() == entry
    for query in ({"identity": "joe"}, {"address": "2001:db8:17::25"}, {"limit": 1, "offset": 1}):
        assert (await http.get(PATH, params=query)).json()["items"] == [entry], query
    assert (await http.get(PATH)).json()["total"] == 2
    other = await http.get(PATH, params={"identity": "isp", "address": "2001:db8:17::25"})
    assert other.json() == {"total": 0, "items": []}


async def test_an_entry_that_was_removed_is_not_found(http: httpx.AsyncClient) -> None:
    await put(http, "192.0.2.1")
    wrong = await http.delete(f"{PATH}/192.0.2.1", params={"identity": "ann"})
    assert wrong.status_code == 404
    right = await http.delete(f"{PATH}/192.0.2.1", params={"identity": "joe"})
    assert right.status_code == 204
    assert (await http.get(f"{PATH}/192.0.2.1")).status_code == 404
    assert (await http.delete(f"{PATH}/192.0.2.1")).status_code == 404


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("nowhere", {}),
        ("192.0.2.1%2F24", {}),
        ("192.0.2.1", {"identity": ""}),
        ("192.0.2.1", {"identity": " joe"}),
        ("192.0.2.1", {"identity": "two\nlines"}),
        ("192.0.2.1", {"identity": "x" * 257}),
        ("192.0.2.1", {"identity": None}),
        ("192.0.2.1", {"duration_s": 0}),
        ("192.0.2.1", {"duration_s": 60, "expires_at": "2100-01-01T00:00:00Z"}),
        ("192.0.2.1", {"expires_at": "2001-01-01T00:00:00Z"}),
        ("192.0.2.1", {"expires_at": "2100-01-01T00:00:00Z"}),
        ("192.0.2.1", {"expires_at": "2030-01-01T00:00:00"}),
        ("192.0.2.1", {"shoe_size": 43}),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_put(
    http: httpx.AsyncClient, network: str, said: dict[str, Any]
) -> None:
    answer = await put(http, network, **said)
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert (await http.get(PATH)).json()["total"] == 0


async def test_ten_thousand_are_put_and_removed_in_one_request(replica: Replica) -> None:
    entries = [
        {"network": f"10.{at // 62500}.{at // 250 % 250}.{at % 250}", "identity": f"s-{at}"}
        for at in range(10_000)
    ]
    async with replica.http() as http, replica.edge() as edge:
        stream = edge.questions()
        put, (decision,) = await asyncio.gather(
            http.post(PATH, json={"entries": entries}), stream.open("meanwhile")
        )
        assert (put.status_code, put.json()) == (200, {"count": 10_000})
        assert decision == ADMITTED
        (named,) = await stream.open("after", source="10.0.39.249")
        assert named == replace(ADMITTED, identity="s-9999")
        only_his = [{"network": "10.0.0.0", "identity": "another"}]
        some = await http.post(f"{PATH}/remove", json={"entries": only_his + entries[1:]})
        assert (some.status_code, some.json()) == (200, {"count": 9_999})
        page = (await http.get(PATH)).json()
        assert [each["network"] for each in page["items"]] == ["10.0.0.0"]


async def test_a_full_table_says_so(http: httpx.AsyncClient, replica: Replica) -> None:
    assert isinstance(replica.app.store, RedisStore)
    replica.app.store.most_identities = 1
    assert (await put(http, "192.0.2.1")).status_code == 200
    full = await put(http, "192.0.2.2")
    assert (full.status_code, full.json()["title"]) == (507, "Insufficient Storage")
    assert (await put(http, "192.0.2.1", identity="ann")).status_code == 200


async def test_of_a_list_with_one_mistake_nothing_is_put(http: httpx.AsyncClient) -> None:
    entries = [{"network": "192.0.2.1", "identity": "joe"}, {"network": "x", "identity": "ann"}]
    for path in (PATH, f"{PATH}/remove"):
        answer = await http.post(path, json={"entries": entries})
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("entries[1]: ")
    assert (await http.get(PATH)).json()["total"] == 0


async def test_long_lists_are_taken_from_holders_of_a_token_alone(replica: Replica) -> None:
    long = b" " * (MOST_BODY_OCTETS + 1)
    async with replica.http() as http, replica.http(token=None) as stranger:
        assert (await http.post(PATH, content=long)).status_code == 422
        assert (await stranger.post(PATH, content=long)).status_code == 413
        assert (await http.put(f"{PATH}/192.0.2.1", content=long)).status_code == 413
        too_many = [{"network": "192.0.2.1", "identity": "joe"}] * 10_001
        assert (await http.post(PATH, json={"entries": too_many})).status_code == 422


async def test_a_session_is_named_at_every_replica_and_locked_by_its_identity(
    start: StartReplica, replica: Replica
) -> None:
    other: Replica = await start()
    await eventually(lambda: other.app.readiness.ready)
    async with replica.http() as http, other.edge() as edge:
        await put(http, "192.0.2.0%2F24")
        stream = edge.questions()
        await eventually(lambda: len(other.app.farm.identities) == 1)
        said_by_edge = opening("said by the edge", "192.0.2.9", "ann")
        assert await stream.ask(opening("a", "192.0.2.9"), said_by_edge) == [JOE, ADMITTED]
        sessions = (await http.get("/api/v1/sessions")).json()["items"]
        assert {each["identity"] for each in sessions} == {"joe", "ann"}
        lock = {"subject": "identity:joe", "reason": "test", "cause": "worm"}
        await http.post("/api/v1/locks", json=lock)
        await eventually(lambda: len(other.app.farm.locks) == 1)
        assert await stream.open("b", source="192.0.2.77") == [
            Decision(DecisionKind.REFUSE, "lock:worm", "joe")
        ]
        status = (await http.get("/api/v1/status")).json()
        assert status["identities"] == 1


async def test_an_expired_entry_names_nobody_any_more(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    end = datetime.now(UTC) + timedelta(milliseconds=300)
    await put(http, "192.0.2.1", expires_at=end.isoformat())
    async with replica.edge() as edge:
        stream = edge.questions()
        assert await stream.open("a") == [JOE]
        async with asyncio.timeout(20):
            while await stream.open("b") != [ADMITTED]:
                pass
    assert datetime.now(UTC) >= end
    assert (await http.get(f"{PATH}/192.0.2.1")).status_code == 404


async def test_a_limit_per_identity_holds_over_all_its_addresses(
    start: StartReplica, tmp_path: Path
) -> None:
    document = tmp_path / "rulebook.toml"
    document.write_text("schema = 1\n[limits]\nconcurrent_sessions_per_identity = 1\n")
    replica: Replica = await start(rulebook={"file": document})
    await eventually(lambda: replica.app.readiness.ready)
    async with replica.http() as http, replica.edge() as edge:
        await put(http, "192.0.2.0%2F24")
        await put(http, "2001:db8::%2F48")
        stream = edge.questions()
        limited = Decision(DecisionKind.DEFER, "limit:concurrent_sessions_per_identity", "joe")
        assert await stream.open("a") == [JOE]
        assert await stream.open("b", source="2001:db8::1") == [limited]
        assert await stream.open("c", "d", source="198.51.100.1") == [ADMITTED, ADMITTED]


async def test_the_table_survives_a_store_that_comes_back_empty(replica: Replica) -> None:
    async with replica.http() as http:
        await put(http, "192.0.2.1", duration_s=600)
        await put(http, "192.0.2.2")
        store = replica.app.store
        for network in ("192.0.2.1", "192.0.2.2"):
            assert (await http.get(f"{PATH}/{network}")).status_code == 200
        await forget_everything(store)
        await until_there(store, 2)


async def test_the_table_survives_a_restart_before_an_empty_store(
    start: StartReplica, tmp_path: Path
) -> None:
    first: Replica = await start()
    await eventually(lambda: first.app.readiness.ready)
    async with first.http() as http:
        await put(http, "192.0.2.1", duration_s=600)
    await first.stop()
    second: Replica = await start(redis={"farm": "another-and-empty"})
    await eventually(lambda: second.app.readiness.ready)
    assert [each.identity for each in second.app.farm.identities] == ["joe"]


async def forget_everything(store: Any) -> None:
    """What a Redis without persistence does when it is restarted."""
    keys = store._keys
    await store._link.run(
        ("DEL", *(getattr(keys, each) for each in ("revision", "changes", "rulebook")))
    )
    await store._link.run(("DEL", keys.identities, keys.identity_expiry))


async def until_there(store: PolicyStore, count: int) -> None:
    async with asyncio.timeout(20):
        while len((await store.picture()).identities) != count:
            pass
