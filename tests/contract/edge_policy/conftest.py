"""The edge's own clients against the policy service itself, over its twin and a real Valkey."""

import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from edge_proxy.clients.farm_state import FarmState, RulebookWatch
from edge_proxy.clients.policy_client import PolicyClient
from policy.app import PolicyApp
from policy.config import PolicySettings
from policy.ports import PolicyStore
from policy.store.memory import MemoryStore
from policy.store.redis.store import RedisStore
from service_kit.clock import SYSTEM_CLOCK
from service_kit.grpc_channels import open_channel
from service_kit.health import Readiness
from service_kit.tasks import Tasks
from smtpgated_contracts.values.asked import SessionAsked
from smtpgated_contracts.values.mail import EdgeId, SessionRef
from smtpgated_contracts.values.policy import Decision, DecisionKind, Lock
from tests.contract.policy.conftest import valkey
from tests.contract.policy.valkey import Valkey
from tests.support.eventually import eventually
from tests.support.samples import progress_of

__all__ = ["valkey"]

EDGE = EdgeId("edge-1")
ALONE = Decision(DecisionKind.DEFER, "decided alone")
DOCUMENT = """
schema = 1
[limits]
concurrent_sessions_per_identity = 2
[exempt]
sources = ["198.51.100.0/24"]
"""


@dataclass
class EdgeSide:
    """As much of an edge as talks with policy."""

    app: PolicyApp
    state: FarmState
    client: PolicyClient
    touched: set[str] = field(default_factory=set)

    async def ask(self, session: SessionRef) -> Decision:
        """Policy's decision on a new session, without the id that the journal knows it by."""
        decided: list[Decision] = []
        self.client.open_session(
            SessionAsked(session), lambda: progress_of(session), decided.append
        )
        await eventually(lambda: decided)
        return replace(decided[0], decision_id="")

    def lock_on(self, session: SessionRef) -> Lock | None:
        """The lock that the edge holds the session by."""
        hold = self.state.hold_on(session)
        return hold.lock if hold is not None else None


@pytest.fixture(params=["memory", "redis"])
async def edge(
    request: pytest.FixtureRequest, valkey: Valkey, tmp_path: Path
) -> AsyncIterator[EdgeSide]:
    store: PolicyStore
    if request.param == "memory":
        store = MemoryStore()
    else:
        store = RedisStore(valkey.url, secrets.token_hex(4), deadline_s=5)
    app = await _started(store, tmp_path)
    channel = open_channel(f"127.0.0.1:{app.grpc_port}", None)
    touched: set[str] = set()

    def note(subjects: Iterable[str]) -> None:
        touched.update(subjects)

    async with Tasks() as tasks:
        state = FarmState(SYSTEM_CLOCK, note)
        watch = RulebookWatch(channel, EDGE, state, Readiness("rulebook"))
        tasks.spawn(watch.run(), name="watch")
        client = PolicyClient(channel, tasks, EDGE, 20.0, lambda _asked: ALONE)
        client.start()
        await eventually(lambda: state.rulebook and client._connected)
        yield EdgeSide(app, state, client, touched)
    await channel.close()
    await app.stop(grace_s=1)


async def _started(store: PolicyStore, folder: Path) -> PolicyApp:
    token, rulebook = folder / "token", folder / "rulebook.toml"
    token.touch(mode=0o600)
    token.write_text(secrets.token_urlsafe(32))
    rulebook.write_text(DOCUMENT)
    settings = PolicySettings.model_validate(
        {
            "listen": {"address": "127.0.0.1:0"},
            "admin": {"listen": "127.0.0.1:0", "token_file": token},
            "rulebook": {"file": rulebook},
        }
    )
    app = PolicyApp(settings, store)
    await app.start()
    await app.keeper.loaded.wait()
    return app
