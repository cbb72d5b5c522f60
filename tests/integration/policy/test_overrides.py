"""Limits of its own, by REST, as sessions meet them."""

import asyncio
import json
from pathlib import Path

import httpx

from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind
from tests.integration.policy.conftest import StartReplica
from tests.integration.policy.farm import Replica
from tests.integration.policy.test_admin_changes import put
from tests.support.eventually import eventually

PATH = "/api/v1/overrides"
BOOK = """
schema = 1
[limits]
concurrent_sessions_per_source = 3
[[rates]]
id = "a-minute"
count = "sessions"
per = "source"
limit = 2
window_s = 60
"""
SUBJECT = "address:192.0.2.1"
LIMITED = Decision(DecisionKind.DEFER, "limit:a-minute")


async def test_an_override_holds_at_once_and_ends_with_its_removal(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    assert (await put(http, BOOK)).status_code == 200
    body = {"subject": SUBJECT, "limits": {"a-minute": 4}, "reason": "a campaign"}
    async with replica.edge() as edge:
        stream = edge.questions()
        assert await stream.open("a", "b", "c") == [ADMITTED, ADMITTED, LIMITED]
        await stream.close("a", "b", "c")
        made = await http.post(PATH, json=body)
        assert made.status_code == 201, made.text
        assert made.json()["limits"] == {"a-minute": 4}
        assert await stream.open("d", "e", "f") == [ADMITTED, ADMITTED, LIMITED]
        await stream.close("d", "e", "f")
        (limit,) = (await http.get(f"/api/v1/limits/{SUBJECT}")).json()["limits"]
        assert (limit["limit"], limit["of_rulebook"], limit["used"]) == (4, 2, 4)
        tag = made.headers["ETag"]
        none = body | {"limits": {"a-minute": None, "concurrent_sessions_per_source": 5}}
        assert (await http.post(PATH, json=none, headers={"If-Match": tag})).status_code == 201
        assert (await http.post(PATH, json=none, headers={"If-Match": tag})).status_code == 412
        assert set(await stream.open(*(f"g{number}" for number in range(5)))) == {ADMITTED}
        (limit,) = (await http.get(f"/api/v1/limits/{SUBJECT}")).json()["limits"]
        assert (limit["limit"], limit["left"]) == (None, None)
        assert (await http.delete(f"{PATH}/{SUBJECT}")).status_code == 204
        assert await stream.open("z") != [ADMITTED]
    audit = (await http.get("/api/v1/audit", params={"area": "override"})).json()["items"]
    assert [each["after"] is None for each in audit] == [True, False, False]
    assert audit[2]["reason"] == "a campaign"


async def test_what_the_rulebook_does_not_limit_cannot_be_overridden(
    http: httpx.AsyncClient,
) -> None:
    assert (await put(http, BOOK)).status_code == 200
    for limits in ({"hourly": 4}, {"a-minute": 0}, {"a-minute": -1}, {"a-minute": "x"}, {}):
        wanted = {"subject": SUBJECT, "limits": limits, "reason": "r"}
        answer = await http.post(PATH, json=wanted)
        assert answer.status_code == 422, limits
    assert (
        "a-minute, concurrent_sessions_per_source"
        in (
            await http.post(PATH, json={"subject": SUBJECT, "limits": {"x": 1}, "reason": "r"})
        ).text
    )


async def test_a_limit_that_left_the_rulebook_is_told_to_be_idle(http: httpx.AsyncClient) -> None:
    assert (await put(http, BOOK)).status_code == 200
    body = {"subject": SUBJECT, "limits": {"a-minute": 4}, "reason": "r", "duration_s": 60}
    assert (await http.post(PATH, json=body)).json()["idle"] == []
    assert (await put(http, "schema = 1\n")).status_code == 200
    found = (await http.get(f"{PATH}/{SUBJECT}")).json()
    assert (found["idle"], found["expires_at"] is None) == (["a-minute"], False)


async def test_what_was_exported_can_be_imported(http: httpx.AsyncClient) -> None:
    assert (await put(http, BOOK)).status_code == 200
    for subject in (SUBJECT, "identity:joe", "prefix:2001:db8::/48"):
        body = {"subject": subject, "limits": {"a-minute": None}, "reason": subject}
        assert (await http.post(PATH, json=body)).status_code == 201
    exported = (await http.get(f"{PATH}/export")).text
    for line in exported.splitlines():
        assert (await http.delete(f"{PATH}/{json.loads(line)['subject']}")).status_code == 204
    assert (await http.get(PATH)).json()["total"] == 0
    answer = await http.post(f"{PATH}/import", content=exported)
    assert answer.json() == {"count": 3}, answer.text
    assert (await http.get(PATH)).json()["total"] == 3


async def test_an_empty_store_gets_overrides_back_from_the_copy_on_disk(
    start: StartReplica, tmp_path: Path
) -> None:
    document = tmp_path / "rulebook.toml"
    document.write_text(BOOK)
    first: Replica = await start(rulebook={"file": document})
    await eventually(lambda: first.app.readiness.ready)
    async with first.http() as http:
        body = {"subject": SUBJECT, "limits": {"a-minute": 4}, "reason": "r"}
        assert (await http.post(PATH, json=body)).status_code == 201
    await first.stop()
    second: Replica = await start(redis={"farm": "another"})
    await eventually(lambda: second.app.readiness.ready)
    async with asyncio.timeout(10), second.http() as http:
        found = (await http.get(f"{PATH}/{SUBJECT}")).json()
    assert found["limits"] == {"a-minute": 4}
