"""Simulation over real HTTP: every rule considered, limits peeked at, and nothing spent."""

from typing import Any

import httpx
import pytest

from tests.integration.policy.farm import Replica
from tests.integration.policy.test_admin_changes import put

PATH = "/api/v1/simulate"
BOOK = """
schema = 1
[[rules]]
id = "helo"
phase = "helo"
action = "refuse"
reply = "go away"
when = { helo_matches = ["^bad"], source = ["192.0.2.0/24"] }
[[rules]]
id = "soon"
phase = "helo"
mode = "shadow"
action = "refuse"
when = { helo_matches = ["e"] }
[[rates]]
id = "sessions a minute"
count = "sessions"
per = "source"
limit = 2
window_s = 60
"""


async def simulated(http: httpx.AsyncClient, session: Any, **more: Any) -> dict[str, Any]:
    answer = await http.post(PATH, json={"session": {"source": "192.0.2.1"} | session} | more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_every_rule_is_shown_with_what_became_of_its_conditions(
    http: httpx.AsyncClient,
) -> None:
    found = await simulated(http, {"helo": "bad.example"}, document=BOOK)
    assert found["rulebook_version"] == 0
    (helo,) = (each for each in found["phases"] if each["phase"] == "helo")
    assert (helo["action"], helo["rule_id"], helo["reply"]) == ("refuse", "helo", "go away")
    first, second = helo["rules"]
    assert {each["outcome"] for each in first["conditions"]} == {"holds"}
    assert (first["bit"], first["ended"]) == (True, True)
    assert (second["mode"], second["reached"], second["bit"]) == ("shadow", False, False)
    assert found["decision"] == {
        "kind": "refuse",
        "ground": "rule",
        "phase": "helo",
        "cause": "helo",
        "reply": "go away",
    }
    elsewhere = await simulated(http, {"source": "192.0.3.1", "helo": "bad"}, document=BOOK)
    assert elsewhere["decision"]["kind"] == "admit"


async def test_limits_are_looked_at_and_not_spent(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    assert (await put(http, BOOK)).status_code == 200
    for _ in range(3):
        (rate,) = (await simulated(http, {}))["rates"]
        assert (rate["used"], rate["left"], rate["full"]) == (0, 2, False)
    async with replica.edge() as edge:
        await edge.questions().open("a", "b")
    found = await simulated(http, {})
    (rate,) = found["rates"]
    assert (rate["subject"], rate["phase"]) == ("address:192.0.2.1", "connect")
    assert (rate["used"], rate["left"], rate["full"]) == (2, 0, True)
    assert (found["decision"]["ground"], found["decision"]["kind"]) == ("limit", "defer")
    assert (await simulated(http, {"source": "192.0.2.2"}))["decision"]["kind"] == "admit"
    assert (await simulated(http, {}, version=1))["decision"]["kind"] == "admit"


async def test_locks_identities_and_exemptions_are_those_of_the_farm(
    http: httpx.AsyncClient,
) -> None:
    await http.put("/api/v1/identities/192.0.2.1", json={"identity": "anna"})
    lock = {"subject": "identity:anna", "reason": "test", "cause": "virus"}
    await http.post("/api/v1/locks", json=lock)
    found = await simulated(http, {})
    assert found["identity"] == "anna"
    assert (found["decision"]["ground"], found["decision"]["cause"]) == ("lock", "virus")
    assert [each["subject"] for each in found["locks"]] == ["identity:anna"]
    await http.post("/api/v1/exemptions", json={"subject": "address:192.0.2.1", "reason": "ours"})
    found = await simulated(http, {})
    assert (found["exempt"], found["decision"]["kind"]) == (True, "admit")


async def test_a_tenant_simulates_his_own(http: httpx.AsyncClient, replica: Replica) -> None:
    body = {
        "name": "tenant",
        "role": "viewer",
        "reason": "test",
        "networks": ["192.0.2.0/24"],
    }
    secret = (await http.post("/api/v1/tokens", json=body)).json()["secret"]
    async with replica.http(secret) as tenant:
        await simulated(tenant, {})
        other = await tenant.post(PATH, json={"session": {"source": "198.51.100.1"}})
    assert other.status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"session": {}},
        {"session": {"source": "not an address"}},
        {"session": {"source": "192.0.2.1", "destination": "mx.example"}},
        {"session": {"source": "192.0.2.1", "spf": "maybe"}},
        {"session": {"source": "192.0.2.1", "recipients": ["a"] * 101}},
        {"session": {"source": "192.0.2.1", "unknown": 1}},
        {"session": {"source": "192.0.2.1"}, "document": "schema = 2"},
        {"session": {"source": "192.0.2.1"}, "document": "schema = 1", "version": 1},
    ],
)
async def test_what_describes_no_session_is_refused(http: httpx.AsyncClient, wrong: Any) -> None:
    assert (await http.post(PATH, json=wrong)).status_code == 422


async def test_a_version_that_is_not_kept_is_not_found(http: httpx.AsyncClient) -> None:
    wanted = {"session": {"source": "192.0.2.1"}, "version": 9}
    assert (await http.post(PATH, json=wanted)).status_code == 404
