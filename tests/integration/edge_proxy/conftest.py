"""The product runs on uvloop, and so do its tests: the two loops differ in how links end."""

from collections.abc import AsyncIterator

import pytest

from tests.support.edge import InnerEdge, inner_edge
from tests.support.fake_farm import FakeFarm, fake_farm
from tests.support.uvloop_only import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]


@pytest.fixture
async def farm() -> AsyncIterator[FakeFarm]:
    async with fake_farm() as fakes:
        yield fakes


@pytest.fixture
async def edge(farm: FakeFarm) -> AsyncIterator[InnerEdge]:
    async with inner_edge(farm) as running:
        yield running
