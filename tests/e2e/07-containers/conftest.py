from collections.abc import Iterator

import pytest

from tests.support.containers import IMAGES, Engine, engine_running


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with engine_running() as running:
        for name in IMAGES:
            running.build(name)
        yield running
