"""The product runs on uvloop, and so do its tests: the two loops differ in how links end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import uvloop

from tests.support.edge import InnerEdge, inner_edge
from tests.support.fake_farm import FakeFarm, fake_farm


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def farm() -> AsyncIterator[FakeFarm]:
    async with fake_farm() as fakes:
        yield fakes


@pytest.fixture
async def edge(farm: FakeFarm) -> AsyncIterator[InnerEdge]:
    async with inner_edge(farm) as running:
        yield running
