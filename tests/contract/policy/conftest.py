"""The two stores, one fixture: every case runs over the twin and over a real Valkey."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from policy.ports import PolicyStore
from policy.store.memory import MemoryStore
from policy.store.redis.store import RedisStore
from service_kit.clock import ManualClock
from tests.contract.policy.valkey import Valkey


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "redis"])
async def store(
    request: pytest.FixtureRequest, valkey: Valkey, clock: ManualClock
) -> AsyncIterator[PolicyStore]:
    made: PolicyStore
    if request.param == "memory":
        made = MemoryStore(clock)
    else:
        made = RedisStore(valkey.url, secrets.token_hex(4), deadline_s=5, clock=clock)
    yield made
    await made.aclose()
