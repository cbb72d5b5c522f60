"""Every engine, over its real server and over a double of it, as one fixture."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvloop

from lab.messages import EICAR, GTUBE
from scanner.engines.clamd import ClamdSettings
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
    RunningSpamd,
    clamd_running,
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
    match name:
        case "clamd":
            real = request.getfixturevalue("clamd")
            return ClamdSettings(address=UnixOrTcp(path=real.address), connections=3)
        case "clamd double":
            twin = await stack.enter_async_context(doubles.double(doubles.clamd))
            return ClamdSettings(address=twin.address, connections=3)
        case "spamd":
            address = request.getfixturevalue("spamd").address
            return SpamdSettings(address=UnixOrTcp(tcp=address), connections=3)
        case "spamd double":
            twin = await stack.enter_async_context(doubles.double(doubles.spamd))
            return SpamdSettings(address=twin.address, connections=3)
    return YaraSettings(workers=3)


@pytest.fixture(params=["clamd", "clamd double", "spamd", "spamd double", "yara"])
async def case(request: pytest.FixtureRequest) -> AsyncIterator[EngineCase]:
    name: str = request.param
    async with AsyncExitStack() as stack:
        engine = (await _settings(name, request, stack)).open()
        stack.push_async_callback(engine.aclose)
        await engine.start()
        if name.startswith("spamd"):
            # SpamAssassin looks at the first 50,000 octets of a part: body_part_scan_size.
            yield EngineCase(engine, GTUBE.encode(), EngineClass.SPAM, 40_000)
        else:
            yield EngineCase(engine, EICAR, EngineClass.VIRUS, 8_000_000)
