"""Every engine, over its real server and over a double of it, as one fixture."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import uvloop

from lab.messages import EICAR, GTUBE
from scanner.engines.clamd import ClamdSettings
from scanner.engines.mksd import MksdSettings
from scanner.engines.rspamd import RspamdSettings
from scanner.engines.settings import EngineSettings
from scanner.engines.spamd import SpamdSettings
from scanner.engines.yara import YaraSettings
from scanner.ports import Engine
from service_kit.addresses import UnixOrTcp
from smtpgated_contracts.values.scan import EngineClass
from tests.contract.scanner import doubles
from tests.support.engines import (
    PeerMissing,
    RunningClamd,
    RunningRspamd,
    RunningSpamd,
    clamd_running,
    rspamd_running,
    skip_or_fail,
    spamd_running,
)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The product runs on uvloop; the two loops differ in how links end."""
    return {"uvloop": uvloop.new_event_loop}


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


@pytest.fixture(scope="session")
def rspamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRspamd]:
    try:
        with rspamd_running(Path(tmp_path_factory.mktemp("rspamd"))) as running:
            yield running
    except PeerMissing as why:
        skip_or_fail(why)


@dataclass(frozen=True, slots=True)
class EngineCase:
    """An engine with room for three scans, and what it finds bad, in which class."""

    engine: Engine
    bad: bytes
    bad_class: EngineClass
    large_octets: int


async def _settings(
    name: str, request: pytest.FixtureRequest, stack: AsyncExitStack
) -> EngineSettings:
    """Each engine's settings towards its real daemon, or towards a double."""

    def real(daemon: str) -> UnixOrTcp:
        address = request.getfixturevalue(daemon).address
        return UnixOrTcp(path=address) if isinstance(address, str) else UnixOrTcp(tcp=address)

    async def twin(script: doubles.Script) -> UnixOrTcp:
        return (await stack.enter_async_context(doubles.double(script))).address

    engine, _, double = name.partition(" ")
    if engine == "yara":
        return YaraSettings(workers=3)
    address = await twin(_TWINS[engine]) if double else real(engine)
    if engine == "mksd":
        spool = request.getfixturevalue("tmp_path")
        return MksdSettings(address=(address,), connections=3, spool_folder=spool)
    return _TABLES[engine](address=(address,), connections=3)


_TABLES: Final[Mapping[str, Callable[..., EngineSettings]]] = {
    "clamd": ClamdSettings,
    "spamd": SpamdSettings,
    "rspamd": RspamdSettings,
}
_TWINS: Final = {
    "clamd": doubles.clamd,
    "spamd": doubles.spamd,
    "rspamd": doubles.rspamd,
    "mksd": doubles.mksd,
}
CASES: Final = (
    *("clamd", "clamd double", "spamd", "spamd double"),
    *("rspamd", "rspamd double", "mksd double", "yara"),
)
_LARGE_SPAM_OCTETS: Final = {
    "spamd": 40_000,  # SpamAssassin looks at the first 50,000 octets: body_part_scan_size
    "rspamd": 4_000,  # it looks for GTUBE near the beginning alone
}


@pytest.fixture(params=CASES)
async def case(request: pytest.FixtureRequest) -> AsyncIterator[EngineCase]:
    name: str = request.param
    async with AsyncExitStack() as stack:
        engine = (await _settings(name, request, stack)).open()
        stack.push_async_callback(engine.aclose)
        await engine.start()
        if large_octets := _LARGE_SPAM_OCTETS.get(name.partition(" ")[0]):
            yield EngineCase(engine, GTUBE.encode(), EngineClass.SPAM, large_octets)
        else:
            yield EngineCase(engine, EICAR, EngineClass.VIRUS, 8_000_000)
