"""Several processes behind one address: the supervisor starts, watches and stops them.

Every worker is this program again, told by its environment which one it is. A worker that ends
is started again, with a pause that grows when it keeps ending. The supervisor serves the
metrics of all (prometheus-client's shared folder) and is ready when every worker runs.
"""

import asyncio
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from edge_proxy.config import EdgeSettings
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

_LOG: Final = logging.getLogger(__name__)


def worker_number() -> int | None:
    """Which worker this process is, from 1; None: the only one, or the supervisor."""
    number = os.environ.get(NUMBER_VARIABLE)
    return int(number) if number else None


async def supervise(settings: EdgeSettings, lifecycle: Lifecycle) -> None:
    """Until SIGTERM, which is passed on; returns when every worker is gone."""
    with tempfile.TemporaryDirectory(prefix="smtp-gated-edge-") as folder:
        empty_shared_folder(Path(folder))
        os.environ[SHARED_FOLDER_VARIABLE] = folder
        readiness = Readiness(*(f"worker {each}" for each in range(1, settings.workers + 1)))
        status = await serve_http(settings.metrics.listen, readiness) if settings.metrics else None
        async with Tasks() as tasks:
            keepers = [
                tasks.spawn(
                    _keep(number, Path(folder), lifecycle, readiness), name=f"worker {number}"
                )
                for number in range(1, settings.workers + 1)
            ]
            await asyncio.wait(keepers)
        if status is not None:
            await status.aclose()


async def _keep(number: int, folder: Path, lifecycle: Lifecycle, readiness: Readiness) -> None:
    pause_s = FIRST_PAUSE_S
    loop = asyncio.get_running_loop()
    while not lifecycle.draining.is_set():
        started_s = loop.time()
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "edge_proxy",
            *sys.argv[1:],
            env={**os.environ, NUMBER_VARIABLE: str(number)},
            start_new_session=True,  # a terminal's Ctrl-C is for the supervisor to pass on
        )
        readiness.set(f"worker {number}", ready=True)
        code = await _until_gone(worker, lifecycle)
        worker_ended(folder, worker.pid)
        if lifecycle.draining.is_set():
            return
        readiness.set(f"worker {number}", ready=False, why=f"ended with {code}")
        event(_LOG, logging.ERROR, "worker ended", worker=number, code=code)
        pause_s = FIRST_PAUSE_S if loop.time() - started_s > STABLE_S else pause_s * 2
        await asyncio.sleep(min(pause_s, LONGEST_PAUSE_S))


async def _until_gone(worker: asyncio.subprocess.Process, lifecycle: Lifecycle) -> int:
    async with Tasks() as tasks:
        gone = tasks.spawn(worker.wait(), name="worker ends")
        drain = tasks.spawn(lifecycle.wait_drain(), name="drain")
        await asyncio.wait({gone, drain}, return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            worker.send_signal(signal.SIGTERM)
        return await gone
