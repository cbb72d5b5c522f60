"""A farm's keys at another node than before: Sentinels, a cluster. Real servers, really killed."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from policy.backing import redis_store
from policy.config import RedisSettings
from policy.core.leases import Caps, Standing
from policy.store.redis.store import RedisStore
from service_kit.failures import Unavailable
from tests.contract.policy.samples import lock, opening, soon
from tests.contract.policy.valkey_nodes import SERVICE, Cluster, Node, Watched, slot_of

PATIENCE_S = 30.0


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    servers = Watched(tmp_path)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    servers = Cluster(Path(tmp_path_factory.mktemp("cluster")))
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


def store_of(**settings: object) -> RedisStore:
    given = {"farm": secrets.token_hex(4), "deadline_s": 2} | settings
    return redis_store(RedisSettings.model_validate(given))


def watched_store(watched: Watched, **settings: object) -> RedisStore:
    sentinels = [str(each.address) for each in watched.sentinels]
    return store_of(sentinels=sentinels, service=SERVICE, **settings)


async def put_in_the_end(store: RedisStore) -> int:
    """Waits until the store takes a lock; how often it did not."""
    failures = 0
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await store.put_lock(lock("address:192.0.2.2"))
            except Unavailable:
                failures += 1
                await asyncio.sleep(0.05)
            else:
                return failures


async def followed_for_ever(store: RedisStore, revision: int) -> None:
    while True:
        await store.changes_after(revision)


async def replicated(store: RedisStore) -> None:
    """A replica cannot know a write it was never told of: what such a loss means is Redis's."""
    (replicas,) = await store._links[0].run(("WAIT", 1, 5000))
    assert replicas == 1


@pytest.mark.parametrize("end", [Node.kill, Node.freeze], ids=["killed", "frozen"])
async def test_a_lost_master_is_followed_to_its_replica_with_what_it_knew(
    watched: Watched, end: Callable[[Node], None]
) -> None:
    store = watched_store(watched)
    one = Caps(per_source=1)
    await store.settle([opening("a", caps=one)], soon())
    await store.put_lock(lock())
    await replicated(store)
    end(watched.master)
    assert await put_in_the_end(store) > 0
    assert watched.replica.run("ROLE")[0] == "master"
    assert await store.settle([opening("b", caps=one)], soon()) == [Standing.SOURCE_REACHED]
    assert lock() in (await store.picture()).locks
    await store.aclose()


async def test_a_master_by_order_is_followed_although_the_old_one_still_answers(
    watched: Watched,
) -> None:
    """The old one stays a master for ten seconds more: nothing fails there."""
    store = watched_store(watched)
    revision = await store.put_lock(lock())
    await replicated(store)
    watched.sentinels[0].run("SENTINEL", "FAILOVER", SERVICE)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(Unavailable, match="master is"):
            await followed_for_ever(store, revision)
    assert watched.master.run("ROLE")[0] == "master"
    await store.put_lock(lock("address:192.0.2.2"))
    assert watched.replica.run("HLEN", store._keys.locks) == 2
    await store.aclose()


async def test_sentinels_are_named_when_they_do_not_know_and_one_of_three_is_enough(
    watched: Watched,
) -> None:
    sentinels = [str(each.address) for each in watched.sentinels]
    store = store_of(sentinels=sentinels, service="another")
    with pytest.raises(Unavailable, match="does not watch another"):
        await store.summary()
    await store.aclose()
    for sentinel in watched.sentinels[:2]:
        sentinel.kill()
    store = watched_store(watched)
    await store.put_lock(lock())
    await store.aclose()


async def test_a_slot_that_moved_costs_one_call(cluster: Cluster) -> None:
    farm = secrets.token_hex(4)
    store = store_of(farm=farm, cluster=[str(each) for each in cluster.addresses])
    await store.summary()
    holder = cluster.holder(farm)
    target = next(each for each in cluster.nodes[:3] if each is not holder)
    identity = target.run("CLUSTER", "MYID")
    for node in (target, holder, *(each for each in cluster.nodes if each is not target)):
        if node.run("ROLE")[0] == "master":
            node.run("CLUSTER", "SETSLOT", slot_of(farm), "NODE", identity)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        await store.summary()
    assert await put_in_the_end(store) == 0
    assert target.run("HLEN", store._keys.locks) == 1
    await store.aclose()


async def test_a_killed_master_of_a_cluster_is_followed_to_its_replica(cluster: Cluster) -> None:
    farm = secrets.token_hex(4)
    store = store_of(farm=farm, cluster=[str(each) for each in cluster.addresses])
    await store.put_lock(lock())
    await replicated(store)
    cluster.holder(farm).kill()
    assert await put_in_the_end(store) > 0
    assert lock() in (await store.picture()).locks
    await store.aclose()


async def test_nobody_there_is_unavailable_at_once() -> None:
    store = store_of(cluster=["127.0.0.1:1", "127.0.0.1:2"])
    with pytest.raises(Unavailable):
        await store.summary()
    await store.aclose()
