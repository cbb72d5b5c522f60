"""The REST API over real HTTP: every route with and without a token, bad input, pages."""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from policy.admin.guards import MOST_BODY_OCTETS
from rulebook.defaults import DEFAULT_DOCUMENT
from tests.integration.policy.conftest import StartReplica
from tests.integration.policy.farm import TOKEN, Replica
from tests.support.eventually import eventually

LOCK = {"subject": "address:192.0.2.1", "reason": "test"}
CLOSED = (
    ("GET", "/api/v1/status"),
    ("GET", "/api/v1/sessions"),
    ("GET", "/api/v1/outcomes"),
    ("GET", "/api/v1/rulebook"),
    ("GET", "/api/v1/locks"),
    ("POST", "/api/v1/locks"),
    ("DELETE", "/api/v1/locks/address:192.0.2.1"),
    ("GET", "/api/v1/exemptions"),
    ("POST", "/api/v1/exemptions"),
    ("DELETE", "/api/v1/exemptions/address:192.0.2.1"),
    ("GET", "/api/v1/identities"),
    ("POST", "/api/v1/identities"),
    ("POST", "/api/v1/identities/remove"),
    ("PUT", "/api/v1/identities/192.0.2.1"),
    ("DELETE", "/api/v1/identities/192.0.2.1"),
    ("GET", "/metrics"),
    ("GET", "/api/openapi.json"),
)
OPEN = ("/healthz", "/readyz", "/", "/docs", "/static/live.js", "/static/swagger-ui-bundle.js")


NOT_OURS: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": "Bearer wrong-token-wrong-token"},
    {"Authorization": "Bearer"},
    {"Authorization": "Basic YWRtaW46YWRtaW4="},
    {"Authorization": f"Bearer {TOKEN[:-1]}"},
    {"Authorization": f"Bearer {TOKEN}x"},
    {"Authorization": TOKEN},
)


@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_without_a_token_nothing_is_said_or_done(
    replica: Replica, method: str, path: str
) -> None:
    async with replica.http(token=None) as http:
        for headers in NOT_OURS:
            answer = await http.request(method, path, headers=headers)
            assert answer.status_code == 401, headers
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["title"] == "Unauthorized"


@pytest.mark.parametrize("path", [path for method, path in CLOSED if method == "GET"])
async def test_with_the_token_every_reading_route_answers(
    http: httpx.AsyncClient, path: str
) -> None:
    assert (await http.get(path)).status_code == 200


@pytest.mark.parametrize("path", OPEN)
async def test_health_and_the_shells_need_no_token(replica: Replica, path: str) -> None:
    async with replica.http(token=None) as http:
        answer = await http.get(path)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_pages_name_no_origin_but_ours(replica: Replica) -> None:
    async with replica.http(token=None) as http:
        for path in ("/", "/docs", "/static/live.js", "/static/status.js", "/static/pages.css"):
            assert "//" not in (await http.get(path)).text.replace("// ", "").replace(
                "http://www.w3.org/2000/svg", ""
            ), path


async def test_metrics_may_be_opened(start: StartReplica) -> None:
    replica = await start(admin={"metrics_open": True})
    async with replica.http(token=None) as http:
        answer = await http.get("/metrics")
    assert "policy_decisions_total" in answer.text


async def test_metrics_may_have_a_listener_of_their_own(
    start: StartReplica, unused_tcp_port: int
) -> None:
    await start(metrics={"listen": f"127.0.0.1:{unused_tcp_port}"})
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_tcp_port}") as http:
        assert "policy_store_away" in (await http.get("/metrics")).text


async def test_a_lock_lives_from_post_to_delete(http: httpx.AsyncClient) -> None:
    body = {"subject": "address:2001:DB8:0::1", "reason": " spam run ", "duration_s": 600}
    made = await http.post("/api/v1/locks", json=body)
    assert made.status_code == 201
    lock = made.json()
    assert lock["subject"] == "address:2001:db8::1"
    assert (lock["reason"], lock["cause"], lock["author"]) == ("spam run", "manual", "admin")
    assert lock["expires_at"] > lock["created_at"]
    assert (await http.get("/api/v1/locks")).json() == {"total": 1, "items": [lock]}
    again = await http.post("/api/v1/locks", json=body | {"reason": "shorter", "duration_s": 60})
    assert again.status_code == 201
    assert (await http.get("/api/v1/locks")).json()["items"][0]["reason"] == "shorter"
    gone = await http.delete("/api/v1/locks/address:2001:db8::1")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await http.delete("/api/v1/locks/address:2001:db8::1")).status_code == 404
    assert (await http.get("/api/v1/locks")).json()["total"] == 0


async def test_locks_are_paged_and_filtered_newest_first(http: httpx.AsyncClient) -> None:
    for host in range(1, 6):
        body = {"subject": f"address:192.0.2.{host}", "reason": "test", "cause": f"c{host % 2}"}
        await http.post("/api/v1/locks", json=body)

    async def hosts(**query: Any) -> tuple[int, list[str]]:
        page = (await http.get("/api/v1/locks", params=query)).json()
        return page["total"], [each["subject"].rpartition(".")[2] for each in page["items"]]

    assert await hosts(limit=2) == (5, ["5", "4"])
    assert await hosts(limit=2, offset=4) == (5, ["1"])
    assert await hosts(offset=9) == (5, [])
    assert await hosts(cause="c0") == (2, ["4", "2"])
    assert await hosts(contains="2.3") == (1, ["3"])


@pytest.mark.parametrize(
    "subject", ["prefix:192.0.2.0/24", "identity:a/b c", "auth:user@example", "identity:żółw?#"]
)
async def test_a_subject_of_any_kind_can_be_deleted_by_its_path(
    http: httpx.AsyncClient, subject: str
) -> None:
    await http.post("/api/v1/locks", json=LOCK | {"subject": subject})
    path = f"/api/v1/locks/{quote(subject, safe='')}"
    assert (await http.delete(path)).status_code == 204


@pytest.mark.parametrize("subject", ["address:127.0.0.1", "address:::1", "prefix:127.1.0.0/16"])
async def test_an_exempt_subject_cannot_be_locked(http: httpx.AsyncClient, subject: str) -> None:
    answer = await http.post("/api/v1/locks", json=LOCK | {"subject": subject})
    assert answer.status_code == 409
    assert "is exempt" in answer.json()["detail"]


async def test_an_exemption_lives_from_post_to_delete(http: httpx.AsyncClient) -> None:
    made = await http.post("/api/v1/exemptions", json=LOCK)
    assert made.status_code == 201
    page = (await http.get("/api/v1/exemptions")).json()
    assert page["items"] == [made.json()]
    assert page["networks"] == ["127.0.0.0/8", "::1/128"]
    assert (await http.delete("/api/v1/exemptions/address:192.0.2.1")).status_code == 204
    assert (await http.delete("/api/v1/exemptions/address:192.0.2.1")).status_code == 404


BAD_LOCKS: tuple[tuple[Any, str], ...] = (
    ({}, "body.subject"),
    ([], "body"),
    ({"subject": "address:192.0.2.1"}, "body.reason"),
    (LOCK | {"reason": "   "}, "body.reason"),
    (LOCK | {"reason": "a\nb"}, "body.reason"),
    (LOCK | {"reason": "x" * 301}, "body.reason"),
    (LOCK | {"subject": ""}, "subject"),
    (LOCK | {"subject": "192.0.2.1"}, "subject"),
    (LOCK | {"subject": "address:192.0.2.300"}, "subject"),
    (LOCK | {"subject": "address:fe80::1%eth0"}, "subject"),
    (LOCK | {"subject": "prefix:192.0.2.0"}, "address:192.0.2.0"),
    (LOCK | {"subject": "prefix:192.0.2.7/24"}, "the prefix is 192.0.2.0/24"),
    (LOCK | {"subject": "prefix:::/129"}, "subject"),
    (LOCK | {"subject": "identity:"}, "subject"),
    (LOCK | {"subject": "identity:a\x00b"}, "subject"),
    (LOCK | {"subject": "x" * 301}, "body.subject"),
    (LOCK | {"subject": 5}, "body.subject"),
    (LOCK | {"duration_s": 0}, "body.duration_s"),
    (LOCK | {"duration_s": -1}, "body.duration_s"),
    (LOCK | {"duration_s": 10**30}, "body.duration_s"),
    (LOCK | {"duration_s": "soon"}, "body.duration_s"),
    (LOCK | {"expires_at": "2030-01-01T00:00:00"}, "body.expires_at"),
    (LOCK | {"expires_at": "2001-01-01T00:00:00Z"}, "expires_at: is over"),
    (LOCK | {"expires_at": "2300-01-01T00:00:00Z"}, "expires_at"),
    (LOCK | {"duration_s": 1, "expires_at": "2030-01-01T00:00:00Z"}, "duration_s or expires_at"),
    (LOCK | {"cause": "a cause"}, "body.cause"),
    (LOCK | {"author": "somebody else"}, "body.author"),
)


@pytest.mark.parametrize(("body", "said"), BAD_LOCKS, ids=[str(each)[:60] for each, _ in BAD_LOCKS])
async def test_a_bad_lock_is_refused_with_the_place(
    http: httpx.AsyncClient, body: Any, said: str
) -> None:
    answer = await http.post("/api/v1/locks", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert (await http.get("/api/v1/locks")).json()["total"] == 0


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/v1/locks?limit=0", "query.limit"),
        ("/api/v1/locks?limit=501", "query.limit"),
        ("/api/v1/locks?offset=-1", "query.offset"),
        ("/api/v1/locks?offset=99999999999999999999", "query.offset"),
        ("/api/v1/locks?colour=red", "query.colour"),
        ("/api/v1/sessions?source=nowhere", "source"),
        ("/api/v1/sessions?source=" + "1" * 65, "query.source"),
        ("/api/v1/outcomes?limit=many", "query.limit"),
        ("/api/v1/outcomes?offset=1", "query.offset"),
        ("/api/v1/exemptions?limit=", "query.limit"),
    ],
)
async def test_a_bad_query_is_refused_with_the_place(
    http: httpx.AsyncClient, path: str, said: str
) -> None:
    answer = await http.get(path)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"subject": ' + b"[" * 5000, b"null"], ids=repr
)
async def test_a_body_that_is_no_json_object_is_refused(
    http: httpx.AsyncClient, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await http.post("/api/v1/locks", content=body, headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_was_sent_is_not_echoed(http: httpx.AsyncClient) -> None:
    body = LOCK | {"duration_s": "hunter2-hunter2"}
    assert "hunter2" not in (await http.post("/api/v1/locks", json=body)).text


async def test_a_body_above_the_limit_is_refused_announced_or_not(http: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        for _ in range(MOST_BODY_OCTETS // 1024 + 1):
            yield b"x" * 1024

    announced = await http.post("/api/v1/locks", content=b"x" * (MOST_BODY_OCTETS + 1))
    assert announced.status_code == 413
    chunked = await http.post("/api/v1/locks", content=chunks())
    assert chunked.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/locks/", 422),
        ("PUT", "/api/v1/locks", 405),
        ("POST", "/healthz", 405),
        ("GET", "/static/../app.py", 404),
        ("GET", "/static/..%2fapp.py", 404),
        ("GET", "/static/status.html", 404),
    ],
)
async def test_what_is_not_there_is_a_problem_too(
    http: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_rulebook_is_shown_as_it_is_stored(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/v1/rulebook")).json() == {
        "version": 1,
        "document": DEFAULT_DOCUMENT,
    }


async def test_the_status_tells_of_the_farm(http: httpx.AsyncClient, replica: Replica) -> None:
    async with replica.edge() as edge:
        watching = edge.watch()
        await watching.snapshot()
        await edge.questions().open("a", "b")
        status = (await http.get("/api/v1/status")).json()
    assert status["ready"] is True
    assert status["store"]["there"] is True
    assert status["sessions"] == 2
    assert status["rulebook_version"] == 1
    (seen,) = status["edges"]
    assert (seen["edge_id"], seen["watching_here"]) == ("edge-1", True)


async def test_an_edge_that_left_is_remembered_with_its_last_contact(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    async with replica.edge() as edge:
        await edge.questions().open("a")
    edges: list[Any] = []
    async with asyncio.timeout(30):
        while not edges:
            edges = (await http.get("/api/v1/status")).json()["edges"]
    assert edges[0]["last_contact_at"] is not None
    assert edges[0]["watching_here"] is False


async def test_sessions_are_paged(http: httpx.AsyncClient, replica: Replica) -> None:
    async with replica.edge() as edge:
        await edge.questions().open(*(f"s{number}" for number in range(5)))
    page = (await http.get("/api/v1/sessions", params={"limit": 2, "offset": 3})).json()
    assert (page["total"], len(page["items"])) == (5, 2)
    assert page["items"][0]["source"] == "192.0.2.1"


async def test_every_reference_of_the_specification_resolves(http: httpx.AsyncClient) -> None:
    specification = (await http.get("/api/openapi.json")).json()
    schemas = specification["components"]["schemas"]

    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            here = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return here.union(*map(references, node.values()))
        return set().union(*map(references, node)) if isinstance(node, list) else set()

    found = references(specification)
    assert "#/components/schemas/ProblemView" in found
    assert found <= {f"#/components/schemas/{name}" for name in schemas}
    assert {path for path in specification["paths"] if path.startswith("/api/v1")} == {
        "/api/v1/status",
        "/api/v1/sessions",
        "/api/v1/outcomes",
        "/api/v1/rulebook",
        "/api/v1/rulebook/validate",
        "/api/v1/rulebook/versions",
        "/api/v1/rulebook/versions/{version}",
        "/api/v1/rulebook/versions/{version}/diff",
        "/api/v1/rulebook/rollback",
        "/api/v1/simulate",
        "/api/v1/overrides",
        "/api/v1/overrides/{subject}",
        "/api/v1/overrides/export",
        "/api/v1/overrides/import",
        "/api/v1/penalties",
        "/api/v1/penalties/{subject}",
        "/api/v1/decisions",
        "/api/v1/decisions/{decision_id}",
        "/api/v1/shadows",
        "/api/v1/shadows/{rule_id}",
        "/api/v1/replay",
        "/api/v1/live",
        "/api/v1/limits/{subject}",
        "/api/v1/locks/export",
        "/api/v1/locks/import",
        "/api/v1/exemptions/export",
        "/api/v1/exemptions/import",
        "/api/v1/audit",
        "/api/v1/tokens",
        "/api/v1/tokens/self",
        "/api/v1/tokens/{token_id}",
        "/api/v1/locks",
        "/api/v1/locks/{subject}",
        "/api/v1/exemptions",
        "/api/v1/exemptions/{subject}",
        "/api/v1/identities",
        "/api/v1/identities/remove",
        "/api/v1/identities/{network}",
    }


async def test_a_lock_made_by_one_replica_is_seen_by_the_other(
    start: StartReplica, http: httpx.AsyncClient
) -> None:
    other: Replica = await start()
    await http.post("/api/v1/locks", json=LOCK)
    await eventually(lambda: len(other.app.farm.locks) == 1)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/locks", "GET, POST"),
        ("PATCH", "/api/v1/locks/address:192.0.2.1", "DELETE, GET"),
        ("DELETE", "/api/v1/rulebook", "GET, PUT"),
    ],
)
async def test_what_a_path_allows_is_said_whole(
    http: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await http.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
