"""The scanner as one running thing: builds it, serves, drains, and takes it down in order.

Errors: StartError (a port in use, rules that cannot be used, a required engine away).
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from scanner.admission import Admission
from scanner.cache.forgetful import Forgetful
from scanner.config import ScannerSettings
from scanner.grpc_service import NAME, ScanLimits, ScanService
from scanner.panel import Panel
from scanner.ports import Engine, HasDaemons, VerdictCache
from scanner.signatures.knowledge import Knowledge
from scanner.signatures.roll import Roll
from scanner.signatures.settings import SignatureSettings
from scanner.watch import Watch
from service_kit.collection import put_start_aside
from service_kit.grpc_server import RunningServer, ServerOptions, start_server
from service_kit.health import Readiness
from service_kit.lifecycle import Lifecycle
from service_kit.logs import event
from service_kit.metrics import serve_http
from service_kit.notify import READY, notify
from service_kit.tasks import Tasks
from smtpgated.scan.v1.scan_pb2_grpc import add_ScanServiceServicer_to_server

_LOG: Final = logging.getLogger(__name__)


async def run(settings: ScannerSettings) -> None:
    """Serve until told to stop; scans under way then get their verdicts."""
    lifecycle = Lifecycle(settings.limits.drain_deadline_s)
    try:
        async with serving(settings) as server:
            event(_LOG, logging.INFO, "listening", port=server.port)
            put_start_aside()
            notify(READY)
            await lifecycle.wait_drain()
            await server.stop(lifecycle.drain_remaining_s())
    finally:
        lifecycle.close()
    event(_LOG, logging.INFO, "stopped")


@asynccontextmanager
async def serving(settings: ScannerSettings) -> AsyncIterator[RunningServer]:
    """A scanner that serves, with everything it needs; all of it is gone afterwards."""
    engines = settings.engines.open()
    readiness = Readiness()
    watch = Watch(engines, readiness, Knowledge(readiness, settings.signatures.stale_after_s))
    async with AsyncExitStack() as stack:
        await _start(engines, stack)
        await watch.first_look()
        tasks = await stack.enter_async_context(Tasks())
        tasks.spawn(watch.run(), name="watch the engines")
        if settings.metrics is not None:
            status = await serve_http(settings.metrics.listen, readiness)
            stack.push_async_callback(status.aclose)
        await _follow_signatures(settings.signatures, engines, readiness, stack)
        cache = settings.cache.open() if settings.cache is not None else Forgetful()
        stack.push_async_callback(cache.aclose)
        service = _service(settings, engines, watch, cache)
        server = await start_server(
            settings.listen.address,
            settings.tls,
            readiness,
            {NAME: partial(add_ScanServiceServicer_to_server, service)},
            _server_options(settings),
        )
        stack.push_async_callback(server.stop, 0)
        yield server


def _server_options(settings: ScannerSettings) -> ServerOptions:
    """No scan is cut because its connection is old, however slowly its content comes."""
    limits = settings.limits
    return ServerOptions(
        connection_age_s=settings.listen.connection_age_s,
        connection_age_grace_s=limits.receive_deadline_s + limits.scan_deadline_s,
    )


async def _follow_signatures(
    settings: SignatureSettings,
    engines: Sequence[Engine],
    readiness: Readiness,
    stack: AsyncExitStack,
) -> None:
    """SIGHUP: the engines whose daemons have signatures reload them."""
    daemons = [
        daemon for each in engines if isinstance(each, HasDaemons) for daemon in each.daemons
    ]
    if not daemons:
        return
    roll = Roll(daemons, settings.open_folder(), settings.open_farm(), readiness, settings)
    stack.push_async_callback(roll.aclose)
    tasks = await stack.enter_async_context(Tasks())
    tasks.spawn(roll.run(), name="follow the signatures")
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, roll.demand)
    stack.callback(loop.remove_signal_handler, signal.SIGHUP)


async def _start(engines: Sequence[Engine], stack: AsyncExitStack) -> None:
    for engine in engines:
        stack.push_async_callback(engine.aclose)
        await engine.start()


def _service(
    settings: ScannerSettings, engines: Sequence[Engine], watch: Watch, cache: VerdictCache
) -> ScanService:
    limits = settings.limits
    panel = Panel(engines, watch.versions, cache, stop_at_virus=settings.panel.stop_at_virus)
    admission = Admission(limits.concurrent_scans, limits.held_octets, limits.shed_spam_at)
    return ScanService(
        panel,
        settings.scan_profiles(),
        admission,
        ScanLimits(limits.scan_deadline_s, limits.receive_deadline_s),
    )
