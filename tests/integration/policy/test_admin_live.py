"""The live view over real HTTP: what happens is told at once, to whom it concerns."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from policy.admin import live
from tests.contract.policy.samples import outcome
from tests.integration.policy.farm import Replica
from tests.integration.policy.test_admin_tokens import made

Events = AsyncIterator[tuple[str, Any]]


@asynccontextmanager
async def listening(http: httpx.AsyncClient) -> AsyncIterator[Events]:
    """After the first status: from here on everything is told."""
    async with asyncio.timeout(30), http.stream("GET", "/api/v1/live") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = told(answer)
        assert (await anext(events))[0] == "status"
        yield events


async def told(answer: httpx.Response) -> Events:
    kind = ""
    async for line in answer.aiter_lines():
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield kind, json.loads(line.removeprefix("data: "))


async def one(events: Events, *, but: str = "status") -> tuple[str, Any]:
    async for kind, content in events:
        if kind != but:
            return kind, content
    raise AssertionError("the stream ended")


async def test_locks_exemptions_and_rulebooks_are_told(http: httpx.AsyncClient) -> None:
    subject = "address:192.0.2.1"
    async with listening(http) as events:
        await http.post("/api/v1/locks", json={"subject": subject, "reason": "x"})
        kind, lock = await one(events)
        assert (kind, lock["subject"]) == ("lock", subject)
        await http.delete(f"/api/v1/locks/{subject}")
        assert await one(events) == ("unlock", {"subject": subject})
        await http.post("/api/v1/exemptions", json={"subject": subject, "reason": "x"})
        assert await one(events) == ("exempt", {"subject": subject})
        await http.delete(f"/api/v1/exemptions/{subject}")
        assert await one(events) == ("unexempt", {"subject": subject})
        rollback = {"version": 1, "reason": "x"}
        await http.post("/api/v1/rulebook/rollback", json=rollback)
        assert await one(events) == ("rulebook", {"version": 2})


async def test_outcomes_are_told_once_and_old_ones_not(
    http: httpx.AsyncClient, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOKED_EVERY_S", 0.01)
    async with replica.edge() as edge:
        await edge.report(outcome(source="192.0.2.1"))
        looked = asyncio.Event()
        outcomes = replica.app.store.outcomes

        async def noted(limit: int) -> Any:
            found = await outcomes(limit)
            looked.set()
            return found

        monkeypatch.setattr(replica.app.store, "outcomes", noted)
        async with listening(http) as events:
            await looked.wait()
            looked.clear()
            await looked.wait()
            for transaction in (2, 3):
                await edge.report(replace(outcome(), transaction=transaction))
                kind, entry = await one(events)
                assert (kind, entry["transaction"]) == ("outcome", transaction)


async def test_a_tenant_is_told_of_his_own_alone(http: httpx.AsyncClient, replica: Replica) -> None:
    token = await made(http, "viewer", networks=["192.0.2.0/24"])
    async with replica.http(token["secret"]) as tenant, listening(tenant) as events:
        for subject in ("address:198.51.100.1", "identity:anna", "address:192.0.2.7"):
            await http.post("/api/v1/locks", json={"subject": subject, "reason": "x"})
        assert (await one(events))[1]["subject"] == "address:192.0.2.7"


async def test_a_stream_ends_when_the_replica_stops(
    http: httpx.AsyncClient, replica: Replica
) -> None:
    async with listening(http) as events:
        stopping = asyncio.gather(replica.stop())
        assert [kind async for kind, _ in events if kind != "status"] == []
        await stopping


async def test_only_so_many_may_listen(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_LISTENERS", 1)
    async with listening(http):
        answer = await http.get("/api/v1/live")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
