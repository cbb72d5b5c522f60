"""Tokens over real HTTP: what each may, until when, for whose networks."""

from typing import Any

import httpx
import pytest

from policy.admin.throttle import MOST_FAILURES
from service_kit.clock import SYSTEM_CLOCK
from tests.contract.policy.samples import outcome
from tests.integration.policy.conftest import StartReplica
from tests.integration.policy.farm import Replica
from tests.support.eventually import eventually

LOCK = {"subject": "address:192.0.2.1", "reason": "test"}
OPERATORS: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/api/v1/locks", LOCK),
    ("DELETE", "/api/v1/locks/address:192.0.2.1", None),
    ("POST", "/api/v1/exemptions", LOCK),
    ("DELETE", "/api/v1/exemptions/address:192.0.2.1", None),
    ("PUT", "/api/v1/identities/192.0.2.1", {"identity": "anna"}),
)
ADMINS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/api/v1/tokens", None),
    ("POST", "/api/v1/tokens", {"name": "x", "role": "viewer", "reason": "test"}),
    ("DELETE", "/api/v1/tokens/nobody", None),
    ("PUT", "/api/v1/rulebook?reason=test", None),
    ("POST", "/api/v1/rulebook/rollback", {"version": 1, "reason": "test"}),
)
WHOLE_FARM = (
    "/api/v1/identities",
    "/api/v1/rulebook",
    "/api/v1/rulebook/versions",
    "/api/v1/audit",
    "/metrics",
)


async def made(http: httpx.AsyncClient, role: str, **more: Any) -> dict[str, Any]:
    body = {"name": "anna", "role": role, "reason": "test"} | more
    answer = await http.post("/api/v1/tokens", json=body)
    assert answer.status_code == 201, answer.text
    token: dict[str, Any] = answer.json()
    return token


async def test_a_secret_is_shown_once_and_opens_until_it_is_revoked(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    token = await made(http, "viewer")
    async with replica.http(token["secret"]) as viewer:
        assert (await viewer.get("/api/v1/locks")).status_code == 200
        own = (await viewer.get("/api/v1/tokens/self")).json()
        assert own == {"name": "anna", "role": "viewer", "networks": []}
        for path in ("/api/v1/tokens", "/api/v1/audit"):
            listed = await http.get(path)
            assert token["token_id"] in listed.text
            assert token["secret"] not in listed.text
            assert "digest" not in listed.text
        assert (await http.get("/api/v1/tokens")).json()["items"][0]["last_used_at"]
        revoked = await http.delete(f"/api/v1/tokens/{token['token_id']}")
        assert revoked.status_code == 204
        assert (await viewer.get("/api/v1/locks")).status_code == 401
    again = await http.delete(f"/api/v1/tokens/{token['token_id']}")
    assert again.status_code == 404


async def test_a_token_is_revoked_at_every_replica(
    http: httpx.AsyncClient, replica: Replica, start: StartReplica
) -> None:
    other = await start()
    await eventually(lambda: other.app.readiness.ready)
    token = await made(http, "viewer")
    async with other.http(token["secret"]) as viewer:
        await eventually(lambda: len(other.app.farm.tokens) == 1)
        assert (await viewer.get("/api/v1/locks")).status_code == 200
        await http.delete(f"/api/v1/tokens/{token['token_id']}")
        await eventually(lambda: len(other.app.farm.tokens) == 0)
        assert (await viewer.get("/api/v1/locks")).status_code == 401


@pytest.mark.parametrize(("method", "path", "body"), OPERATORS + ADMINS)
async def test_a_viewer_changes_nothing(
    http: httpx.AsyncClient, replica: Replica, method: str, path: str, body: Any
) -> None:
    token = await made(http, "viewer")
    async with replica.http(token["secret"]) as viewer:
        answer = await viewer.request(method, path, json=body)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_operator_changes_locks_and_no_tokens_or_rules(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    token = await made(http, "operator")
    async with replica.http(token["secret"]) as operator:
        for method, path, body in OPERATORS:
            answer = await operator.request(method, path, json=body)
            assert answer.status_code < 300, (method, path, answer.text)
        for method, path, body in ADMINS:
            assert (await operator.request(method, path, json=body)).status_code == 403
    audited = (await http.get("/api/v1/audit", params={"author": "anna"})).json()["items"]
    assert [each["area"] for each in audited] == ["exemption", "exemption", "lock", "lock"]


async def test_a_tenant_sees_and_touches_what_lies_in_his_networks(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    for subject in ("address:192.0.2.1", "address:198.51.100.1", "identity:anna"):
        answer = await http.post("/api/v1/locks", json={"subject": subject, "reason": "test"})
        assert answer.status_code == 201
    async with replica.edge() as edge:
        await edge.questions().open("a", source="203.0.113.1")
        await edge.questions().open("b", source="203.0.113.200")
        await edge.report(outcome(source="203.0.113.1"), outcome(source="203.0.113.200"))
    token = await made(http, "operator", networks=["192.0.2.0/24", "203.0.113.0/25"])
    async with replica.http(token["secret"]) as tenant:
        locks = (await tenant.get("/api/v1/locks")).json()
        assert [each["subject"] for each in locks["items"]] == ["address:192.0.2.1"]
        sessions = (await tenant.get("/api/v1/sessions")).json()
        assert [each["source"] for each in sessions["items"]] == ["203.0.113.1"]
        outcomes = (await tenant.get("/api/v1/outcomes")).json()["items"]
        assert {each["source"].partition(":")[0] for each in outcomes} == {"203.0.113.1"}
        status = (await tenant.get("/api/v1/status")).json()
        assert (status["locks"], status["messages"], status["edges"]) == (1, 0, [])
        for subject in ("address:198.51.100.1", "identity:anna", "prefix:192.0.0.0/16"):
            found = await tenant.get(f"/api/v1/locks/{subject}")
            assert found.status_code == 404
            put = await tenant.post("/api/v1/locks", json={"subject": subject, "reason": "x"})
            assert put.status_code == 403
            gone = await tenant.delete(f"/api/v1/locks/{subject}")
            assert gone.status_code == 403
            exempt = {"subject": subject, "reason": "x"}
            assert (await tenant.post("/api/v1/exemptions", json=exempt)).status_code == 403
        assert (await tenant.delete("/api/v1/locks/address:192.0.2.1")).status_code == 204
        for path in WHOLE_FARM:
            assert (await tenant.get(path)).status_code == 403, path


async def test_a_token_that_is_over_opens_nothing(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    token = await made(http, "viewer", duration_s=1)
    async with replica.http(token["secret"]) as viewer:
        await eventually(
            lambda: not next(iter(replica.app.farm.tokens)).holds_at(SYSTEM_CLOCK.unix_ms())
        )
        assert (await viewer.get("/api/v1/locks")).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "root"},
        {"name": ""},
        {"name": "a\nb"},
        {"reason": " "},
        {"networks": ["192.0.2.0/99"]},
        {"networks": ["192.0.2.1/24"]},
        {"networks": "192.0.2.0/24"},
        {"networks": ["10.0.0.0/8"] * 65},
        {"duration_s": 0},
        {"expires_at": "2000-01-01T00:00:00Z"},
        {"secret": "mine"},
    ],
)
async def test_a_token_that_makes_no_sense_is_not_made(
    http: httpx.AsyncClient, wrong: dict[str, Any]
) -> None:
    body = {"name": "anna", "role": "viewer", "reason": "test"} | wrong
    answer = await http.post("/api/v1/tokens", json=body)
    assert answer.status_code == 422
    assert (await http.get("/api/v1/tokens")).json()["total"] == 0


async def test_who_guesses_is_throttled_and_the_operators_are_not(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    async with replica.http("a-wrong-token-a-wrong-token") as stranger:
        tries = [await stranger.get("/api/v1/status") for _ in range(MOST_FAILURES + 2)]
    assert [each.status_code for each in tries] == [401] * MOST_FAILURES + [429] * 2
    assert 0 < int(tries[-1].headers["retry-after"]) <= 60
    assert tries[-1].headers["content-type"] == "application/problem+json"
    assert (await http.get("/api/v1/status")).status_code == 200


async def test_tokens_are_in_the_copy_that_an_empty_store_is_given(
    replica: Replica, http: httpx.AsyncClient
) -> None:
    token = await made(http, "viewer")
    picture = replica.app.farm.picture(SYSTEM_CLOCK.unix_ms())
    assert [each.token_id for each in picture.tokens] == [token["token_id"]]
