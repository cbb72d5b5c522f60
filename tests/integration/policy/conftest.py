"""A whole policy process in this one: real gRPC, real HTTP, a real Valkey."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from policy.app import PolicyApp
from policy.config import PolicySettings
from tests.contract.policy.valkey import Valkey
from tests.integration.policy.farm import TOKEN, Replica
from tests.support.eventually import eventually

StartReplica = Callable[..., Any]


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "admin-token"
    path.touch(mode=0o600)
    path.write_text(f"# the tests'\n{TOKEN}\n")
    return path


@pytest.fixture
async def start(valkey: Valkey, token_file: Path, tmp_path: Path) -> AsyncIterator[StartReplica]:
    """Starts a replica; all of one test share a farm, each key of the settings can be given."""
    farm = secrets.token_hex(4)
    async with AsyncExitStack() as stack:

        async def started(url: str = valkey.url, **settings: Any) -> Replica:
            redis = {"url": url, "farm": farm, "deadline_s": 2} | settings.pop("redis", {})
            model = PolicySettings.model_validate(
                {
                    "listen": {"address": "127.0.0.1:0"},
                    "admin": {"listen": "127.0.0.1:0", "token_file": token_file}
                    | settings.pop("admin", {}),
                    "redis": redis,
                    "state_dir": tmp_path / "state",
                    **settings,
                }
            )
            app = PolicyApp(model)
            replica = Replica(app)
            stack.push_async_callback(replica.stop)
            await app.start()
            return replica

        yield started


@pytest.fixture
async def replica(start: StartReplica) -> Replica:
    made: Replica = await start()
    await eventually(lambda: made.app.readiness.ready)
    return made


@pytest.fixture
async def http(replica: Replica) -> AsyncIterator[httpx.AsyncClient]:
    async with replica.http() as client:
        yield client
