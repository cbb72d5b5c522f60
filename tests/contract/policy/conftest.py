"""The two stores, one fixture: every case runs over the twin, a real Valkey, a real cluster."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from policy.ports import PolicyStore
from policy.store.memory import MemoryStore
from policy.store.redis.connecting import options_of
from policy.store.redis.keys import Keys
from policy.store.redis.masters import MostSay, cluster_asks
from policy.store.redis.store import RedisStore
from service_kit.clock import ManualClock
from tests.contract.policy.valkey import Valkey
from tests.contract.policy.valkey_nodes import Cluster


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def whole_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Of all tests together: nobody kills any of it."""
    servers = Cluster(Path(tmp_path_factory.mktemp("cluster")))
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


@pytest.fixture(params=["memory", "redis", "cluster"])
async def store(request: pytest.FixtureRequest, clock: ManualClock) -> AsyncIterator[PolicyStore]:
    made: PolicyStore
    farm = secrets.token_hex(4)
    if request.param == "memory":
        made = MemoryStore(clock)
    elif request.param == "redis":
        valkey: Valkey = request.getfixturevalue("valkey")
        made = RedisStore(valkey.url, farm, deadline_s=5, clock=clock)
    else:
        nodes = request.getfixturevalue("whole_cluster").addresses
        options = options_of("redis://", connect_s=5)
        finder = MostSay(nodes, options, cluster_asks(Keys(farm).revision), patience_s=5)
        made = RedisStore("redis://", farm, deadline_s=5, clock=clock, finder=finder)
    yield made
    await made.aclose()
