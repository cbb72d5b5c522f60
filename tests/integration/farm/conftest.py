"""Whole farms: one that serves every test which leaves it as it was, others made where needed.

The farm's upstream is an address at which each test starts the far server it wants.
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from lab.far_server import FarPlan, FarServer
from lab.far_server.plan import KEYWORDS
from lab.farm import Farm
from lab.farm_plan import FarmPlan
from lab.ports import free_port
from service_kit.addresses import HostPort
from tests.support.postfix import Postfix

FAR = FarPlan(
    keywords=(*KEYWORDS, "AUTH PLAIN LOGIN", "STARTTLS", "CHUNKING"),
    accounts={"joe": "right"},
)


@pytest.fixture(scope="session")
def upstream() -> HostPort:
    """Where the shared farm's far server is to listen."""
    return free_port("127.0.0.1")


@pytest.fixture(scope="session")
def farm(upstream: HostPort, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Shared: a test that kills a part, or changes a rule, makes a farm of its own."""
    with Farm(FarmPlan(directory=tmp_path_factory.mktemp("farm"), upstream=upstream)) as running:
        yield running


@pytest.fixture
async def far(upstream: HostPort) -> AsyncIterator[FarServer]:
    """An ordinary far server behind the shared farm; AUTH knows joe, who is right."""
    async with FarServer(FAR, upstream) as listening:
        yield listening


@pytest.fixture(scope="session")
def lenient_postfix() -> Iterator[Postfix]:
    """Takes LF.LF for the end of content, as Postfix did for twenty years."""
    with Postfix("no") as running:
        yield running


@pytest.fixture(scope="session")
def strict_postfix() -> Iterator[Postfix]:
    """Refuses bare newlines."""
    with Postfix("reject") as running:
        yield running


@pytest.fixture(scope="session")
def farm_before_lenient(
    lenient_postfix: Postfix, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Farm]:
    """A farm in front of it."""
    folder = tmp_path_factory.mktemp("lenient")
    with Farm(FarmPlan(directory=folder, upstream=lenient_postfix.address)) as running:
        yield running


@pytest.fixture(scope="session")
def farm_before_strict(
    strict_postfix: Postfix, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Farm]:
    """A farm in front of it."""
    folder = tmp_path_factory.mktemp("strict")
    with Farm(FarmPlan(directory=folder, upstream=strict_postfix.address)) as running:
        yield running
