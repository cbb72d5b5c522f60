"""The admin API in a process of its own: one replica serves it, another one answers edges."""

from pathlib import Path

from tests.integration.policy.conftest import StartReplica
from tests.support.eventually import eventually

LOCK = {"subject": "address:192.0.2.1", "reason": "test", "cause": "virus"}


async def test_edges_of_a_replica_without_the_api_follow_the_one_that_has_it(
    start: StartReplica, tmp_path: Path
) -> None:
    asked = await start(admin={"serve": False, "token_file": tmp_path / "there is none"})
    api = await start(state_dir=None)
    await eventually(lambda: asked.app.readiness.ready and api.app.readiness.ready)
    async with api.http() as http, asked.edge() as edge:
        questions = edge.questions()
        assert [each.cause for each in await questions.open("a")] == [""]
        assert (await http.post("/api/v1/locks", json=LOCK)).status_code == 201
        await eventually(lambda: len(asked.app.farm.locks) == 1)
        assert [each.cause for each in await questions.open("b")] == ["lock:virus"]
        sessions = (await http.get("/api/v1/sessions")).json()
        assert [each["session_id"] for each in sessions["items"]] == ["a"]
