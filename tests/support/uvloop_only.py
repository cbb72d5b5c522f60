"""The loop that the product runs on, for the tests of what touches sockets.

``from tests.support.uvloop_only import pytest_asyncio_loop_factories`` in a conftest.
"""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}
