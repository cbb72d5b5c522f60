"""A replica's parts over the in-memory store."""

from dataclasses import dataclass, field

import pytest

from policy.core.farm import Announcement, Farm
from policy.core.local_limiter import LocalLimiter
from policy.replica.presence import StorePresence
from policy.store.memory import MemoryStore
from service_kit.clock import ManualClock


@dataclass
class Parts:
    clock: ManualClock = field(default_factory=ManualClock)
    farm: Farm = field(default_factory=Farm)
    announced: list[Announcement] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock)
        self.presence = StorePresence(self.clock)
        self.limiter = LocalLimiter(0.5)


@pytest.fixture
def parts() -> Parts:
    return Parts()
