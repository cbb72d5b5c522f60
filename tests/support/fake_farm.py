"""The rest of the farm as an edge sees it: a scanner, a policy and a far server that obey tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lab.far_server import FarPlan, FarServer
from rulebook.defaults import DEFAULT_DOCUMENT
from tests.support.fake_policy import FakePolicy
from tests.support.fake_scanner import FakeScanner

EVERYTHING: tuple[str, ...] = (
    "PIPELINING",
    "SIZE 104857600",
    "8BITMIME",
    "ENHANCEDSTATUSCODES",
    "AUTH PLAIN LOGIN",
    "STARTTLS",
    "CHUNKING",
)

LOCKING_RULEBOOK = DEFAULT_DOCUMENT.replace('"127.0.0.0/8", ', "")
"""The default, but sources on loopback can be locked and limited."""


@dataclass(frozen=True, slots=True)
class FakeFarm:
    scanner: FakeScanner
    policy: FakePolicy
    far: FarServer


@asynccontextmanager
async def fake_farm(
    plan: FarPlan = FarPlan(keywords=EVERYTHING),  # noqa: B008 - a frozen value
    rulebook: str | None = LOCKING_RULEBOOK,
) -> AsyncIterator[FakeFarm]:
    async with FakeScanner() as scanner, FakePolicy(rulebook) as policy, FarServer(plan) as far:
        yield FakeFarm(scanner, policy, far)
