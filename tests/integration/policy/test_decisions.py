"""What was decided and why, over real gRPC and HTTP."""

import asyncio
from typing import Any

import httpx

from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.reported import ruling_to_wire
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import SpfResult
from smtpgated_contracts.values.reported import RulingFacts, RulingReport
from tests.contract.policy.samples import session
from tests.integration.policy.farm import Replica
from tests.integration.policy.test_admin_changes import put

PATH = "/api/v1/decisions"
BOOK = """
schema = 1
[[rules]]
id = "helo"
phase = "helo"
action = "refuse"
when = { helo_matches = ["^bad"] }
[[rules]]
id = "soon"
phase = "helo"
mode = "shadow"
action = "refuse"
when = { helo_matches = ["e"] }
[[rates]]
id = "sessions"
count = "sessions"
per = "source"
limit = 2
window_s = 60
"""


async def listed(http: httpx.AsyncClient, least: int, **query: str) -> list[dict[str, Any]]:
    """They are written a moment after they were made."""
    async with asyncio.timeout(20):
        while True:
            answer = await http.get(PATH, params=query)
            assert answer.status_code == 200, answer.text
            found: list[dict[str, Any]] = answer.json()["items"]
            if len(found) >= least:
                return found
            await asyncio.sleep(0.02)


async def told(replica: Replica, *reports: RulingReport) -> None:
    batch = policy_pb2.OutcomeBatch(edge_id="edge-1", rulings=map(ruling_to_wire, reports))
    async with replica.edge() as edge:
        await edge.stub.Report(batch, timeout=20)


def ruling(helo: bytes, version: int, *, shadows: tuple[str, ...] = ()) -> RulingReport:
    facts = RulingFacts(Envelope(helo), spf=SpfResult.FAIL, listed_in=("bl.example",))
    return RulingReport(
        session("s"), 1, "helo", "refuse", "helo", (), shadows, version, 550, 0, facts
    )


async def test_a_refusal_by_a_limit_is_explained_by_the_id_that_the_edge_has(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    assert (await put(http, BOOK)).status_code == 200
    async with replica.edge() as edge:
        stream = edge.questions()
        await stream.open("a", "b", "c")
    await listed(http, 3)
    found = (await http.get(f"{PATH}/{stream.decision_ids[2]}")).json()
    assert (found["by"], found["phase"], found["action"]) == ("policy", "connect", "defer")
    assert (found["cause"], found["session_id"]) == ("limit:sessions", "c")
    assert found["why"] == [
        "limit sessions: 2 of 2 sessions in 60 s used by address:192.0.2.1, 1 more asked for"
    ]
    assert found["considered"] is None
    assert "see why" in found["unexplained"]


async def test_a_refusal_by_a_lock_says_whose_lock_it_is(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    body = {"subject": "address:192.0.2.1", "reason": "called us"}
    assert (await http.post("/api/v1/locks", json=body)).status_code == 201
    async with replica.edge() as edge:
        stream = edge.questions()
        await stream.open("a")
    (found,) = await listed(http, 1, cause="lock:manual", session="a")
    assert [found["decision_id"]] == stream.decision_ids
    (why,) = found["why"]
    assert "on address:192.0.2.1" in why
    assert why.endswith("called us")


async def test_a_ruling_is_explained_by_the_rulebook_of_then(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    assert (await put(http, BOOK)).status_code == 200
    stored = replica.app.farm.stored
    assert stored is not None
    await told(replica, ruling(b"bad.example", stored.version, shadows=("soon",)))
    assert (await put(http, "schema = 1\n")).status_code == 200
    (item,) = await listed(http, 1, by="rules")
    found = (await http.get(f"{PATH}/{item['decision_id']}")).json()
    assert (found["cause"], found["reply_code"]) == ("rule:helo", 550)
    assert found["facts"]["listed_in"] == ["bl.example"]
    assert found["facts"]["spf"] == "fail"
    assert [(each["rule_id"], each["bit"]) for each in found["considered"]] == [
        ("helo", True),
        ("soon", False),
    ]
    await told(replica, ruling(b"bad.example", 4711))
    item, _ = await listed(http, 2, by="rules")
    found = (await http.get(f"{PATH}/{item['decision_id']}")).json()
    assert found["considered"] is None
    assert "4711" in found["unexplained"]


async def test_shadows_are_counted_per_day_and_subject(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    await told(replica, *(ruling(b"x", 1, shadows=("soon",)) for _ in range(3)))
    await listed(http, 3)
    (day,) = {each["at"][:10] for each in await listed(http, 3)}
    totals = (await http.get("/api/v1/shadows", params={"day": day})).json()
    assert totals == {"day": day, "items": [{"rule_id": "soon", "times": 3}]}
    found = (await http.get("/api/v1/shadows/soon", params={"day": day})).json()
    assert found["items"] == [{"subject": "address:192.0.2.1", "times": 3}]
    assert (await http.get("/api/v1/shadows", params={"day": "1999-01-01"})).json()["items"] == []


async def test_a_tenant_sees_the_decisions_on_his_networks(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    body = {
        "name": "tenant",
        "role": "viewer",
        "networks": ["203.0.113.0/24"],
        "reason": "theirs",
    }
    secret = (await http.post("/api/v1/tokens", json=body)).json()["secret"]
    async with replica.edge() as edge:
        stream = edge.questions()
        await stream.open("ours")
        await stream.open("theirs", source="203.0.113.7")
    ours, theirs = sorted(await listed(http, 2), key=lambda each: str(each["session_id"]))
    async with replica.http(secret) as tenant:
        (seen,) = await listed(tenant, 1)
        assert seen["decision_id"] == theirs["decision_id"]
        assert (await tenant.get(f"{PATH}/{ours['decision_id']}")).status_code == 404
        assert (await tenant.get(f"{PATH}/{theirs['decision_id']}")).status_code == 200
        assert (await tenant.get("/api/v1/shadows")).status_code == 403
        assert (await tenant.post("/api/v1/replay", json={})).status_code == 403


async def test_a_document_is_replayed_against_what_was_decided(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    async with replica.edge() as edge:
        await edge.questions().open("a", "b")
    await listed(http, 2)
    document = """
schema = 1
[[rules]]
id = "ours"
phase = "connect"
action = "refuse"
when = { source = ["192.0.2.0/24"] }
"""
    answer = await http.post("/api/v1/replay", json={"document": document})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["rulebook_version"], found["decisions"], found["asked"]) == (0, 2, 2)
    assert found["turns"] == [
        {
            "phase": "connect",
            "then": {"action": "admit", "rule_id": ""},
            "now": {"action": "refuse", "rule_id": "ours"},
            "times": 2,
        }
    ]
    assert {each["session_id"] for each in found["differences"]} == {"a", "b"}
    nothing = (await http.post("/api/v1/replay", json={})).json()
    assert nothing["turns"] == []
    wrong = await http.post("/api/v1/replay", json={"document": "schema = 1\nx = 1\n"})
    assert wrong.status_code == 422


async def test_pages_go_on_where_the_last_one_ended(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    async with replica.edge() as edge:
        await edge.questions().open(*(f"s{number}" for number in range(5)), source="192.0.2.9")
    await listed(http, 5)
    first = (await http.get(PATH, params={"limit": "3"})).json()
    rest = (await http.get(PATH, params={"limit": "3", "before": first["next"]})).json()
    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [3, 2, ""]
    names = {each["session_id"] for each in (*first["items"], *rest["items"])}
    assert names == {f"s{number}" for number in range(5)}
