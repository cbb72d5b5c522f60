"""Changes by people over real HTTP: ETags, the audit, versions of the rulebook."""

import asyncio
from typing import Any

import httpx
import pytest

from rulebook.defaults import DEFAULT_DOCUMENT
from rulebook.document import MAX_DOCUMENT_OCTETS
from tests.integration.policy.farm import Replica

SUBJECT = "address:192.0.2.1"
LOCK = {"subject": SUBJECT, "reason": "test"}
TOML = {"Content-Type": "application/toml"}
RULEBOOK = "/api/v1/rulebook"
BAD_PATTERN = """schema = 1
[[rules]]
id = "a"
phase = "helo"
action = "refuse"
when = { helo_matches = ["("] }
"""
SHORT = 'schema = 1\n[exempt]\nsources = ["192.0.2.0/24"]\n'


async def put(
    http: httpx.AsyncClient, document: str, reason: str = "test", **headers: str
) -> httpx.Response:
    named = TOML | {name.replace("_", "-"): value for name, value in headers.items()}
    params = {"reason": reason}
    return await http.put(RULEBOOK, params=params, content=document, headers=named)


@pytest.mark.parametrize("path", ["/api/v1/locks", "/api/v1/exemptions"])
async def test_who_edits_what_another_changed_meanwhile_is_told(
    http: httpx.AsyncClient, path: str
) -> None:
    first = await http.post(path, json=LOCK, headers={"If-None-Match": "*"})
    assert first.status_code == 201
    seen = {"If-Match": (await http.get(f"{path}/{SUBJECT}")).headers["etag"]}
    assert seen["If-Match"] == first.headers["etag"]
    changed = await http.post(path, json=LOCK | {"reason": "other"}, headers=seen)
    assert changed.status_code == 201
    overtaken = await http.post(path, json=LOCK, headers=seen)
    assert overtaken.status_code == 412
    assert (await http.delete(f"{path}/{SUBJECT}", headers=seen)).status_code == 412
    assert (await http.post(path, json=LOCK, headers={"If-None-Match": "*"})).status_code == 412
    assert (await http.get(f"{path}/{SUBJECT}")).json()["reason"] == "other"
    now = {"If-Match": changed.headers["etag"]}
    assert (await http.delete(f"{path}/{SUBJECT}", headers=now)).status_code == 204
    assert (await http.get(f"{path}/{SUBJECT}")).status_code == 404


@pytest.mark.parametrize("wrong", ["*", "1", '"', '""', 'W/"1f"', '"a", "b"', '"' + "1" * 200])
async def test_an_etag_that_is_none_of_ours_is_refused(http: httpx.AsyncClient, wrong: str) -> None:
    answer = await http.post("/api/v1/locks", json=LOCK, headers={"If-Match": wrong})
    assert answer.status_code == 422
    assert (await http.get("/api/v1/locks")).json()["total"] == 0


async def test_every_change_is_audited_with_what_was_before(http: httpx.AsyncClient) -> None:
    await http.post("/api/v1/locks", json=LOCK | {"reason": "spam run"})
    await http.delete(f"/api/v1/locks/{SUBJECT}", params={"reason": "mended"})
    page = (await http.get("/api/v1/audit", params={"limit": 1})).json()
    (removal,) = page["items"]
    assert (removal["author"], removal["reason"]) == ("admin", "mended")
    assert (removal["before"]["reason"], removal["after"]) == ("spam run", None)
    older = (await http.get("/api/v1/audit", params={"before": page["next"]})).json()
    (putting,) = older["items"]
    assert (putting["before"], putting["after"]["subject"]) == (None, SUBJECT)
    assert older["next"] == ""
    wanted = {"area": "lock", "subject": SUBJECT, "author": "admin"}
    assert len((await http.get("/api/v1/audit", params=wanted)).json()["items"]) == 2
    assert (await http.get("/api/v1/audit", params={"area": "token"})).json()["items"] == []


async def test_a_new_rulebook_is_in_force_and_can_be_taken_back(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    first = await http.get(RULEBOOK)
    made = await put(http, SHORT, "less", If_Match=first.headers["etag"])
    assert made.status_code == 200, made.text
    assert (made.json()["version"], made.json()["author"]) == (2, "admin")
    assert replica.app.farm.exemptions.cover_source("192.0.2.1", "")
    assert (await http.get(RULEBOOK)).json() == {"version": 2, "document": SHORT}
    back = await http.post(f"{RULEBOOK}/rollback", json={"version": 1, "reason": "no"})
    assert back.json()["version"] == 3
    assert (await http.get(RULEBOOK)).json()["document"] == DEFAULT_DOCUMENT
    versions = (await http.get(f"{RULEBOOK}/versions")).json()["items"]
    assert [(each["version"], each["reason"]) for each in versions] == [(3, "no"), (2, "less")]
    assert (await http.get(f"{RULEBOOK}/versions/2")).json()["document"] == SHORT
    changed = (await http.get(f"{RULEBOOK}/versions/2/diff")).text
    assert changed.startswith("--- version 1\n+++ version 2\n")
    assert '+sources = ["192.0.2.0/24"]' in changed.splitlines()
    same = await http.get(f"{RULEBOOK}/versions/3/diff", params={"against": 1})
    assert same.text == ""


async def test_a_rulebook_in_json_is_a_rulebook(http: httpx.AsyncClient) -> None:
    answer = await http.put(
        RULEBOOK,
        params={"reason": "test"},
        json={"schema": 1, "exempt": {"sources": ["192.0.2.0/24"]}},
    )
    assert answer.status_code == 200


async def test_who_edits_an_old_rulebook_is_told(http: httpx.AsyncClient) -> None:
    assert (await put(http, SHORT)).status_code == 200
    assert (await put(http, SHORT, If_Match='"1"')).status_code == 412
    rollback = {"version": 1, "reason": "no"}
    overtaken = await http.post(f"{RULEBOOK}/rollback", json=rollback, headers={"If-Match": '"1"'})
    assert overtaken.status_code == 412
    assert (await http.get(RULEBOOK)).json()["version"] == 2


async def test_of_many_who_edit_the_same_rulebook_one_wins(http: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(put(http, f"{SHORT}# {number}\n", If_Match='"1"') for number in range(8))
    )
    codes = sorted(each.status_code for each in answers)
    assert codes == [200] + [412] * 7
    assert (await http.get(RULEBOOK)).json()["version"] == 2


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("", "schema"),
        ("schema = 2\n", "should be 1"),
        ("schema = 1\nunknown = 1\n", "unknown"),
        ('schema = 1\nexempt = { sources = ["192.0.2.0/99"] }\n', "192.0.2.0/99"),
        (BAD_PATTERN, "helo_matches"),
        ("[" * 50_000, ""),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), ""),
    ],
)
async def test_a_rulebook_with_a_mistake_is_refused_with_its_place(
    http: httpx.AsyncClient, document: str, says: str
) -> None:
    for answer in (
        await put(http, document),
        await http.post(f"{RULEBOOK}/validate", content=document, headers=TOML),
    ):
        assert answer.status_code == 422
        assert says in answer.json()["detail"]
    assert (await http.get(RULEBOOK)).json()["version"] == 1


async def test_a_sound_rulebook_can_be_tried_without_putting_it(http: httpx.AsyncClient) -> None:
    answer = await http.post(f"{RULEBOOK}/validate", content=SHORT, headers=TOML)
    assert answer.json() == {"rules": 0, "rates": 0, "exempt_networks": 1}
    assert (await http.get(RULEBOOK)).json()["version"] == 1


async def test_a_rulebook_is_text_of_a_known_kind_and_size(http: httpx.AsyncClient) -> None:
    params = {"reason": "test"}
    binary = await http.put(RULEBOOK, params=params, content=b"\xff\xfe", headers=TOML)
    assert binary.status_code == 422
    form = await http.put(RULEBOOK, params=params, data={"a": "b"})
    assert form.status_code == 415
    large = b"#" * (MAX_DOCUMENT_OCTETS + 1)
    assert (await http.put(RULEBOOK, params=params, content=large, headers=TOML)).status_code == 413
    ten_mb = (b"#" * 1024 * 1024 for _ in range(10))

    async def streamed() -> Any:
        for part in ten_mb:
            yield part

    answer = await http.put(RULEBOOK, params=params, content=streamed(), headers=TOML)
    assert answer.status_code == 413
    no_reason = await http.put(RULEBOOK, content=SHORT, headers=TOML)
    assert no_reason.status_code == 422


@pytest.mark.parametrize("path", ["versions/9", "versions/0", "versions/9/diff", "versions/1/diff"])
async def test_a_version_that_is_not_kept_is_not_found(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(f"{RULEBOOK}/{path}")).status_code == 404
