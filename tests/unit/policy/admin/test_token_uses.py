"""The last use of tokens: told now and then, kept while the store is away."""

import asyncio

import pytest

from policy.admin import token_uses
from policy.admin.token_uses import TokenUses
from policy.replica.presence import StorePresence
from policy.store.memory import MemoryStore
from service_kit.clock import ManualClock
from service_kit.tasks import Tasks
from tests.support.eventually import eventually


async def test_uses_are_told_once_the_store_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_uses, "TOLD_EVERY_S", 0.0)
    clock = ManualClock()
    store, presence, uses = MemoryStore(clock), StorePresence(clock), TokenUses()
    presence.returned()
    store.away = "gone"
    uses.used("t1", 5)
    uses.used("t1", 7)
    telling = Tasks().spawn(uses.tell(store, presence), name="uses")
    await eventually(lambda: presence.away)
    assert uses.of("t1") == 7
    store.away = ""
    presence.returned()
    await eventually(lambda: uses.of("t1") == 0)
    assert await store.token_uses() == {"t1": 7}
    telling.cancel()
    await asyncio.wait([telling])
