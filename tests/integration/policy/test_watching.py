"""Watch: snapshot, then changes, nothing missed."""

import asyncio
from typing import Any

from policy.core.farm import StoredRulebook
from rulebook.defaults import DEFAULT_DOCUMENT
from smtpgated_contracts.values.policy import Lock
from tests.contract.policy.samples import lock
from tests.integration.policy.conftest import StartReplica
from tests.integration.policy.farm import Replica
from tests.support.eventually import eventually


async def test_the_first_update_is_the_rulebook_then_the_locks(replica: Replica) -> None:
    await replica.app.store.put_lock(lock())
    await eventually(lambda: len(replica.app.farm.locks) == 1)
    async with replica.edge() as edge:
        watching = edge.watch()
        await watching.snapshot()
        assert watching.rulebook is not None
        assert (watching.rulebook.version, watching.rulebook.document) == (1, DEFAULT_DOCUMENT)
        assert watching.locks == {lock().subject: lock()}


async def test_a_lock_arrives_while_watching_and_goes_again(replica: Replica) -> None:
    async with replica.edge() as edge, replica.http() as http:
        watching = edge.watch()
        await watching.snapshot()
        body = {"subject": "address:2001:DB8::1", "reason": "test", "duration_s": 60}
        await http.post("/api/v1/locks", json=body)
        await watching.until(lambda: "address:2001:db8::1" in watching.locks)
        pushed = watching.locks["address:2001:db8::1"]
        assert (pushed.reason, pushed.author) == ("test", "admin")
        assert pushed.expires_at_ms - pushed.created_at_ms == 60_000
        assert (await http.delete("/api/v1/locks/address:2001:db8::1")).status_code == 204
        await watching.until(lambda: not watching.locks)


async def test_a_change_made_through_one_replica_reaches_the_edges_of_another(
    start: StartReplica, replica: Replica
) -> None:
    other: Replica = await start()
    await eventually(lambda: other.app.readiness.ready)
    async with other.edge() as edge, replica.http() as http:
        watching = edge.watch()
        await watching.snapshot()
        await http.post("/api/v1/locks", json={"subject": "address:192.0.2.9", "reason": "test"})
        await watching.until(lambda: "address:192.0.2.9" in watching.locks)


async def test_a_large_snapshot_comes_in_parts_and_nothing_changed_meanwhile_is_missed(
    replica: Replica,
) -> None:
    subjects = [f"address:10.{at // 62500}.{at // 250 % 250}.{at % 250}" for at in range(5000)]
    locks = [Lock(subject, "virus") for subject in subjects]
    await replica.app.store.lengthen_locks(locks)
    await eventually(lambda: len(replica.app.farm.locks) == 5000)
    late = [f"address:11.0.0.{at}" for at in range(100)]

    async def change() -> None:
        for subject in late:
            await replica.app.store.put_lock(Lock(subject, "late"))

    async with replica.edge() as edge, asyncio.TaskGroup() as group:
        watching = edge.watch()
        group.create_task(change())
        await watching.until(lambda: watching.whole and late[-1] in watching.locks)
        assert set(watching.locks) == {*subjects, *late}
        assert watching.updates > 5


async def test_a_new_rulebook_is_pushed(replica: Replica) -> None:
    async with replica.edge() as edge:
        watching = edge.watch()
        await watching.snapshot()
        second = StoredRulebook(2, "schema = 1\nstarttls = 'mask'\n")
        await replica.app.store.put_rulebook(second, replaces=1)
        await watching.until(lambda: watching.rulebook and watching.rulebook.version == 2)
        assert watching.rulebook is not None
        assert watching.rulebook.document == second.document


async def test_a_rulebook_that_cannot_be_read_is_not_pushed(replica: Replica) -> None:
    async with replica.edge() as edge:
        watching = edge.watch()
        await watching.snapshot()
        await replica.app.store.put_rulebook(StoredRulebook(2, "schema = 99\n"), replaces=1)
        await replica.app.store.put_lock(lock())
        await watching.until(lambda: lock().subject in watching.locks)
        assert watching.rulebook is not None
        assert watching.rulebook.version == 1
        assert replica.app.farm.rulebook.limits.concurrent_sessions == 20000


async def test_exemptions_reach_the_edges_with_the_snapshot_and_after_it(replica: Replica) -> None:
    async with replica.edge() as edge, replica.http() as http:
        first: dict[str, Any] = {"subject": "identity:ours", "reason": "ours"}
        assert (await http.post("/api/v1/exemptions", json=first)).status_code == 201
        watching = edge.watch()
        await watching.snapshot()
        assert watching.exempt == {"identity:ours"}
        await http.post("/api/v1/locks", json={"subject": "address:192.0.2.9", "reason": "test"})
        await watching.until(lambda: "address:192.0.2.9" in watching.locks)
        second: dict[str, Any] = {"subject": "prefix:192.0.2.0/24", "reason": "ours"}
        assert (await http.post("/api/v1/exemptions", json=second)).status_code == 201
        await watching.until(lambda: "prefix:192.0.2.0/24" in watching.exempt)
        await http.delete("/api/v1/exemptions/prefix:192.0.2.0%2F24")
        await watching.until(lambda: watching.exempt == {"identity:ours"})
        assert set(watching.locks) == {"address:192.0.2.9"}
