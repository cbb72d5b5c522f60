"""A whole policy over Sentinels and over a cluster, whose master is killed under it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from policy.store.redis.store import RedisStore
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind
from tests.contract.policy.samples import lock, progress
from tests.contract.policy.valkey_nodes import SERVICE, Cluster, Watched
from tests.integration.policy.conftest import StartReplica
from tests.integration.policy.farm import Replica
from tests.support.eventually import eventually

FARM = "moving"
SOURCE_LIMIT = Decision(DecisionKind.DEFER, "limit:concurrent_sessions_per_source")


@dataclass
class Servers:
    """``settings``: of [redis]. ``kill`` ends the master of the farm."""

    settings: dict[str, Any]
    kill: Callable[[], None]


@pytest.fixture(params=["sentinels", "cluster"])
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Servers]:
    folder = tmp_path / "nodes"
    folder.mkdir()
    running = Watched(folder) if request.param == "sentinels" else Cluster(folder)
    try:
        running.start()
        if isinstance(running, Watched):
            sentinels = [str(each.address) for each in running.sentinels]
            yield Servers({"sentinels": sentinels, "service": SERVICE}, running.master.kill)
        else:
            nodes = [str(each) for each in running.addresses]
            yield Servers({"cluster": nodes}, lambda: running.holder(FARM).kill())
    finally:
        running.stop()


async def test_decisions_go_on_while_a_replica_takes_over_and_nothing_is_lost(
    start: StartReplica, tmp_path: Path, servers: Servers
) -> None:
    document = tmp_path / "rulebook.toml"
    document.write_text("schema = 1\n[limits]\nconcurrent_sessions_per_source = 4\n")
    redis = servers.settings | {"farm": FARM, "deadline_s": 1}
    replica: Replica = await start("redis://", redis=redis, rulebook={"file": document})
    await eventually(lambda: replica.app.readiness.ready)
    presence = replica.app.presence
    async with replica.edge() as edge, replica.http() as http:
        watching, stream = edge.watch(), edge.questions()
        await watching.snapshot()
        await replica.app.store.put_lock(lock("address:192.0.2.99"))
        await watching.until(lambda: watching.locks)
        assert await stream.open("a") == [ADMITTED]
        assert isinstance(replica.app.store, RedisStore)
        await replica.app.store._links[0].run(("WAIT", 1, 5000))

        servers.kill()
        asked = 0
        while not presence.away:
            assert await stream.open(f"s{asked}", source=f"10.0.0.{asked % 250}") == [ADMITTED]
            asked += 1
        status = (await http.get("/api/v1/status")).json()
        assert (status["ready"], status["store"]["there"]) == (True, False)
        # Half of four, and one is taken: the limiter of this replica alone.
        assert await stream.open("b", "c") == [ADMITTED, SOURCE_LIMIT]

        await eventually(lambda: not presence.away)
        await stream.renew(progress("a"), progress("b"))
        assert await stream.open("d", "e", "f") == [ADMITTED, ADMITTED, SOURCE_LIMIT]
        await replica.app.store.put_lock(lock("address:192.0.2.98"))
        await watching.until(lambda: len(watching.locks) == 2)
        locks = (await replica.app.store.picture()).locks
        assert {each.subject for each in locks} == set(watching.locks)
