"""The real engines, once for all tests that do not kill them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import (
    PeerMissing,
    RunningClamd,
    RunningSpamd,
    clamd_running,
    skip_or_fail,
    spamd_running,
)


@pytest.fixture(scope="session")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClamd]:
    try:
        with clamd_running(Path(tmp_path_factory.mktemp("clamd"))) as running:
            yield running
    except PeerMissing as why:
        skip_or_fail(why)


@pytest.fixture(scope="session")
def spamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSpamd]:
    try:
        with spamd_running(Path(tmp_path_factory.mktemp("spamd"))) as running:
            yield running
    except PeerMissing as why:
        skip_or_fail(why)
