"""A fake service of each kind, and what every client needs."""

from collections.abc import AsyncIterator

import pytest

from service_kit.tasks import Tasks
from tests.support.fake_policy import FakePolicy
from tests.support.fake_scanner import FakeScanner


@pytest.fixture
async def policy() -> AsyncIterator[FakePolicy]:
    async with FakePolicy() as service:
        yield service


@pytest.fixture
async def scanner() -> AsyncIterator[FakeScanner]:
    async with FakeScanner() as service:
        yield service


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    async with Tasks() as running:
        yield running
