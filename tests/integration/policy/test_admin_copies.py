"""Export and import of locks and exemptions, and what is left of limits, over real HTTP."""

import json
from typing import Any

import httpx
import pytest

from tests.integration.policy.farm import Replica
from tests.integration.policy.test_admin_changes import put
from tests.integration.policy.test_admin_tokens import made

LINES = {"Content-Type": "application/jsonl"}
BOOK = """
schema = 1
[[rates]]
id = "sessions"
count = "sessions"
per = "source"
limit = 10
window_s = 60
[[rates]]
id = "elsewhere"
count = "destinations"
per = "source"
limit = 5
window_s = 60
[[rates]]
id = "few"
count = "messages"
per = "source"
limit = 1
window_s = 60
profile = "few"
[[rates]]
id = "all"
count = "sessions"
per = "total"
limit = 1000
window_s = 60
"""


async def imported(http: httpx.AsyncClient, what: str, text: str) -> httpx.Response:
    path = f"/api/v1/{what}/import"
    return await http.post(path, params={"reason": "moved"}, content=text, headers=LINES)


@pytest.mark.parametrize("what", ["locks", "exemptions"])
async def test_what_was_exported_can_be_imported(http: httpx.AsyncClient, what: str) -> None:
    subjects = ["address:192.0.2.1", "prefix:2001:db8::/48", "identity:żółw"]
    for subject in subjects:
        body = {"subject": subject, "reason": "a reason"}
        assert (await http.post(f"/api/v1/{what}", json=body)).status_code == 201
    text = (await http.get(f"/api/v1/{what}/export")).text
    assert [json.loads(line)["subject"] for line in text.splitlines()] == subjects[::-1]
    for subject in subjects:
        await http.delete(f"/api/v1/{what}/{subject}")
    answer = await imported(http, what, text)
    assert answer.json() == {"count": 3}
    listed = (await http.get(f"/api/v1/{what}")).json()
    assert sorted(each["subject"] for each in listed["items"]) == sorted(subjects)
    assert {each["reason"] for each in listed["items"]} == {"a reason"}
    audited = (await http.get("/api/v1/audit", params={"limit": 3})).json()["items"]
    assert {each["subject"] for each in audited} == set(subjects)


async def test_many_locks_are_imported_at_once(http: httpx.AsyncClient, replica: Replica) -> None:
    lines = [json.dumps({"subject": f"address:10.0.{n // 250}.{n % 250}"}) for n in range(2000)]
    answer = await imported(http, "locks", "\n".join(lines) + "\n\n")
    assert answer.json() == {"count": 2000}
    exported = (await http.get("/api/v1/locks/export")).text
    assert len(exported.splitlines()) == 2000
    assert json.loads(exported.splitlines()[0])["reason"] == "moved"


GOOD = '{"subject": "address:192.0.2.1", "reason": "x"}\n'


@pytest.mark.parametrize(
    "wrong",
    [
        "{",
        "[]",
        "1",
        '"text"',
        '{"subject": "address:192.0.2.300"}',
        '{"subject": "address:192.0.2.1", "unknown": 1}',
        '{"subject": 5}',
        "{}",
        "\x00",
    ],
)
@pytest.mark.parametrize("what", ["locks", "exemptions"])
async def test_an_import_with_one_mistake_puts_nothing(
    http: httpx.AsyncClient, what: str, wrong: str
) -> None:
    answer = await imported(http, what, GOOD + wrong)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("line 2: ")
    assert (await http.get(f"/api/v1/{what}")).json()["total"] == 0


async def test_a_tenant_imports_and_exports_his_own(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    await imported(http, "locks", GOOD + '{"subject": "address:198.51.100.1"}')
    token = await made(http, "operator", networks=["192.0.2.0/24"])
    async with replica.http(token["secret"]) as tenant:
        exported = (await tenant.get("/api/v1/locks/export")).text
        assert [json.loads(line)["subject"] for line in exported.splitlines()] == [
            "address:192.0.2.1"
        ]
        answer = await imported(tenant, "locks", '{"subject": "address:198.51.100.2"}')
    assert answer.status_code == 403


async def left(http: httpx.AsyncClient, subject: str, **params: Any) -> dict[str, tuple[int, int]]:
    answer = await http.get(f"/api/v1/limits/{subject}", params=params)
    assert answer.status_code == 200, answer.text
    return {each["rate_id"]: (each["used"], each["left"]) for each in answer.json()["limits"]}


async def test_what_limits_leave_to_a_subject_is_shown_and_not_spent(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    await put(http, BOOK)
    async with replica.edge() as edge:
        await edge.questions().open("a", "b", "c")
    for _ in range(2):
        assert await left(http, "address:192.0.2.1") == {"sessions": (3, 7), "elsewhere": (1, 4)}
    assert await left(http, "total") == {"all": (3, 997)}
    assert await left(http, "address:192.0.2.2") == {"sessions": (0, 10), "elsewhere": (0, 5)}
    assert "few" in await left(http, "address:192.0.2.1", profile="few")
    assert await left(http, "identity:anna") == {}
    assert await left(http, "domain:example.org") == {}


@pytest.mark.parametrize(
    "subject", ["", "nobody", "address:", "address:x", "total:", "prefix:10.0.0.0/8", "identity: "]
)
async def test_limits_of_what_is_no_subject_are_refused(
    http: httpx.AsyncClient, subject: str
) -> None:
    assert (await http.get(f"/api/v1/limits/{subject}")).status_code == 422


async def test_a_tenant_sees_limits_of_his_own(http: httpx.AsyncClient, replica: Replica) -> None:
    token = await made(http, "viewer", networks=["192.0.2.0/24"])
    async with replica.http(token["secret"]) as tenant:
        assert (await tenant.get("/api/v1/limits/address:192.0.2.1")).status_code == 200
        for other in ("address:198.51.100.1", "total", "identity:anna", "destination:192.0.2.1"):
            assert (await tenant.get(f"/api/v1/limits/{other}")).status_code == 403, other
