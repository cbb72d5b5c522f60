"""Several processes behind the same doors: the supervisor starts, watches and stops them.

Every worker is this program again, told by its environment which one it is and which of its
descriptors listen. A worker that ends is started again, with a pause that grows when it keeps
ending; its colleagues accept meanwhile. The supervisor owns the doors, serves the metrics of
all (prometheus-client's shared folder) and is ready when every worker is.

``under_supervisor`` is the other end of the two pipes that join them.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from pathlib import Path
from typing import Final

from edge_proxy.config import EdgeSettings
from edge_proxy.handover.environment import for_worker
from edge_proxy.handover.succession import Succession, succession
from edge_proxy.under_supervisor import ACCEPT, LEAVE, NUMBER_VARIABLE, READY
from service_kit.command_line import EXIT_NOT_IN_ORDER
from service_kit.errors import StartError
from service_kit.exposition import SHARED_FOLDER_VARIABLE, empty_shared_folder, worker_ended
from service_kit.health import Readiness
from service_kit.lifecycle import Lifecycle
from service_kit.logs import event
from service_kit.metrics import serve_http
from service_kit.notify import for_a_child
from service_kit.tasks import Tasks

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
STABLE_S: Final = 30.0

_LOG: Final = logging.getLogger(__name__)


async def supervise(settings: EdgeSettings, lifecycle: Lifecycle) -> None:
    """Until SIGTERM, which is passed on, or a handover; returns when every worker is gone.

    Raises StartError: an address is taken, or a worker cannot start and said why on stderr.
    """
    async with succession(settings, lifecycle) as place:
        with tempfile.TemporaryDirectory(prefix="smtp-gated-edge-") as shared:
            os.environ[SHARED_FOLDER_VARIABLE] = shared
            empty_shared_folder(Path(shared))
            await _Supervisor(settings.workers, Path(shared), lifecycle, place).run()


class _Supervisor:
    """``folder`` is where the workers share their numbers."""

    def __init__(self, count: int, folder: Path, lifecycle: Lifecycle, place: Succession) -> None:
        self._numbers = range(1, count + 1)
        self._folder = folder
        self._lifecycle = lifecycle
        self._place = place
        self._readiness = Readiness(*map(_name, self._numbers))
        self._may_accept = asyncio.Event()

    async def run(self) -> None:
        async with Tasks() as tasks:
            keepers = [tasks.spawn(self._keep(each), name=_name(each)) for each in self._numbers]
            if await self._place.open(self._readiness):
                await self._serve()
            started = await asyncio.gather(*keepers)
        if not all(started):
            raise StartError("a worker cannot start")

    async def _serve(self) -> None:
        """Until the drain. The workers' numbers are shown until they are gone or handed over."""
        place = self._place
        status = await serve_http(place.status, self._readiness) if place.status else None
        status_port = status.port if status is not None else None
        event(
            _LOG, logging.INFO, "supervising", workers=len(self._numbers), status_port=status_port
        )
        self._may_accept.set()
        place.accepting()
        await self._lifecycle.wait_drain()
        await place.leave()
        if status is not None:
            await status.aclose()

    async def _keep(self, number: int) -> bool:
        """Have this worker run until the drain; False when it cannot start at all."""
        name, pause_s = _name(number), FIRST_PAUSE_S
        lifecycle, readiness = self._lifecycle, self._readiness
        loop = asyncio.get_running_loop()
        while not lifecycle.draining.is_set():
            began_s = loop.time()
            worker = await self._started(number)
            try:
                code = await self._until_gone(worker, name)
            finally:
                if worker.returncode is None:  # we are stopped at once
                    worker.kill()
                worker_ended(self._folder, worker.pid)
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

    async def _started(self, number: int) -> Process:
        doors = self._place.sessions
        told = {NUMBER_VARIABLE: str(number), **for_worker(doors)}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the folder we were started in is nobody's module path
            "-m",
            "edge_proxy",
            *sys.argv[1:],
            env={**for_a_child(os.environ), **told},
            pass_fds=[each.fileno() for each in doors],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # a terminal's Ctrl-C is for the supervisor to pass on
        )

    async def _until_gone(self, worker: Process, name: str) -> int:
        async with Tasks() as tasks:
            gone = tasks.spawn(worker.wait(), name=f"{name} ends")
            drain = tasks.spawn(self._lifecycle.wait_drain(), name="drain")
            tasks.spawn(self._hear(worker, name), name=f"{name} is ready")
            tasks.spawn(self._let_in(worker), name=f"{name} may accept")
            await asyncio.wait({gone, drain}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                return await gone
            if self._place.handed_over:
                _tell(worker, LEAVE)
            else:
                worker.send_signal(signal.SIGTERM)
            return await gone

    async def _hear(self, worker: Process, name: str) -> None:
        assert worker.stdout is not None
        if await worker.stdout.readline() == READY + b"\n":
            self._readiness.set(name, ready=True)

    async def _let_in(self, worker: Process) -> None:
        await self._may_accept.wait()
        _tell(worker, ACCEPT)


def _name(number: int) -> str:
    return f"worker {number}"


def _tell(worker: Process, word: bytes) -> None:
    """Never waits: a few octets in an empty pipe. A worker that is gone does not mind."""
    assert worker.stdin is not None
    worker.stdin.write(word + b"\n")
