"""Several processes behind one address: the supervisor starts, watches and stops them.

Every worker is this program again, told by its environment which one it is. A worker that ends
is started again, with a pause that grows when it keeps ending. The supervisor serves the
metrics of all (prometheus-client's shared folder) and is ready when every worker is.

Two pipes join them. A worker's stdin ends when the supervisor is gone, however that came: then
it drains, since nobody would stop it any more. On its stdout it says one line, when it is ready.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from edge_proxy.config import EdgeSettings
from edge_proxy.links.listener import reserved
from service_kit.command_line import EXIT_NOT_IN_ORDER
from service_kit.errors import StartError
from service_kit.exposition import SHARED_FOLDER_VARIABLE, empty_shared_folder, worker_ended
from service_kit.health import Readiness
from service_kit.lifecycle import Lifecycle
from service_kit.logs import event
from service_kit.metrics import serve_http
from service_kit.tasks import Tasks

NUMBER_VARIABLE: Final = "SMTPGATED_WORKER"
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
STABLE_S: Final = 30.0

_STDIN, _STDOUT = 0, 1
_READY: Final = b"ready\n"
_LOG: Final = logging.getLogger(__name__)


# In a worker


def worker_number() -> int | None:
    """Which worker this process is, from 1; None: the only one, or the supervisor."""
    number = os.environ.get(NUMBER_VARIABLE)
    return int(number) if number else None


def drain_with_supervisor(lifecycle: Lifecycle) -> None:
    """Begin to drain when the supervisor is gone."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(_STDIN)
        lifecycle.begin_drain("the supervisor is gone")

    loop.add_reader(_STDIN, gone)


async def tell_supervisor(readiness: Readiness) -> None:
    """Say once that this worker is ready."""
    while not readiness.ready:
        await readiness.wait_change()
    with contextlib.suppress(BrokenPipeError):
        os.write(_STDOUT, _READY)


# In the supervisor


async def supervise(settings: EdgeSettings, lifecycle: Lifecycle) -> None:
    """Until SIGTERM, which is passed on; returns when every worker is gone.

    Raises StartError: an address is taken, or a worker cannot start and said why on stderr.
    """
    numbers = range(1, settings.workers + 1)
    readiness = Readiness(*map(_name, numbers))
    with (
        reserved(settings.listen.addresses),
        tempfile.TemporaryDirectory(prefix="smtp-gated-edge-") as shared,
    ):
        folder = Path(shared)
        empty_shared_folder(folder)
        os.environ[SHARED_FOLDER_VARIABLE] = shared
        status = await serve_http(settings.metrics.listen, readiness) if settings.metrics else None
        status_port = status.port if status is not None else None
        event(_LOG, logging.INFO, "supervising", workers=len(numbers), status_port=status_port)
        async with Tasks() as tasks:
            keepers = [
                tasks.spawn(_keep(each, folder, lifecycle, readiness), name=_name(each))
                for each in numbers
            ]
            started = await asyncio.gather(*keepers)
        if status is not None:
            await status.aclose()
    if not all(started):
        raise StartError("a worker cannot start")


def _name(number: int) -> str:
    return f"worker {number}"


async def _keep(number: int, folder: Path, lifecycle: Lifecycle, readiness: Readiness) -> bool:
    """Have this worker run until the drain; False when it cannot start at all."""
    name, pause_s = _name(number), FIRST_PAUSE_S
    loop = asyncio.get_running_loop()
    while not lifecycle.draining.is_set():
        began_s = loop.time()
        worker = await _started(number)
        try:
            code = await _until_gone(worker, name, lifecycle, readiness)
        finally:
            if worker.returncode is None:  # we are stopped at once
                worker.kill()
            worker_ended(folder, worker.pid)
        if lifecycle.draining.is_set():
            break
        readiness.set(name, ready=False, why=f"ended with {code}")
        event(_LOG, logging.ERROR, "worker ended", worker=number, code=code)
        if code == EXIT_NOT_IN_ORDER:
            lifecycle.begin_drain(f"{name} cannot start")
            return False
        pause_s = FIRST_PAUSE_S if loop.time() - began_s > STABLE_S else pause_s * 2
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(pause_s, LONGEST_PAUSE_S)):
                await lifecycle.wait_drain()
    return True


async def _started(number: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "edge_proxy",
        *sys.argv[1:],
        env={**os.environ, NUMBER_VARIABLE: str(number)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # a terminal's Ctrl-C is for the supervisor to pass on
    )


async def _until_gone(
    worker: asyncio.subprocess.Process, name: str, lifecycle: Lifecycle, readiness: Readiness
) -> int:
    async with Tasks() as tasks:
        gone = tasks.spawn(worker.wait(), name=f"{name} ends")
        drain = tasks.spawn(lifecycle.wait_drain(), name="drain")
        tasks.spawn(_hear(worker, name, readiness), name=f"{name} is ready")
        await asyncio.wait({gone, drain}, return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            worker.send_signal(signal.SIGTERM)
        return await gone


async def _hear(worker: asyncio.subprocess.Process, name: str, readiness: Readiness) -> None:
    assert worker.stdout is not None
    if await worker.stdout.readline() == _READY:
        readiness.set(name, ready=True)
