"""A fixed number of worker processes with the same rules; who dies is replaced.

Errors: EngineFailure; StartError when the rules cannot be used.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import Final

from scanner.core.content import Content
from scanner.core.yara_wire import Answer, rules_frame
from scanner.engines.yara_process import GRACE_S, Worker
from scanner.engines.yara_sources import RuleTexts
from scanner.ports import EngineFailure, FailureReason
from service_kit.errors import StartError
from service_kit.logs import event
from service_kit.tasks import Tasks

_LOG: Final = logging.getLogger(__name__)
_WORKER: Final = "scanner.engines.yara_worker"
# Before a worker that died is replaced: a fault in every content must not become a fork bomb.
_REPLACE_AFTER_S: Final = 0.5


class Workers:
    """``arguments``: of each process. ``count`` of them are kept alive from ``start`` on, each
    asked one content at a time."""

    def __init__(self, arguments: Sequence[str], rules: RuleTexts, count: int) -> None:
        self.edition: Final = rules.edition
        self.rules = 0
        self._told = rules_frame(rules.texts)
        self._asking = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._command = (sys.executable, "-I", "-m", _WORKER, *arguments)
        self._count = count
        self._alive: set[Worker] = set()
        self._free: asyncio.Queue[Worker] = asyncio.Queue()
        self._tasks = Tasks()
        self._closed = False

    @property
    def alive(self) -> int:
        return len(self._alive)

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the processes that are alive."""
        return tuple(sorted(worker.pid for worker in self._alive))

    @property
    def free(self) -> int:
        """Workers that could be asked now."""
        return self._free.qsize()

    async def start(self) -> None:
        """Raises StartError when a worker does not come up: rules are the usual reason."""
        workers = [await self._spawn() for _ in range(self._count)]
        try:
            greetings = await asyncio.gather(*(worker.greeting for worker in workers))
        except EngineFailure as wrong:
            raise StartError(f"[engines.yara]: a worker process does not start: {wrong}") from None
        trouble = next((each.trouble for each in greetings if each.trouble), None)
        if trouble is not None:
            raise StartError(f"[engines.yara] rules: {trouble}")
        self.rules = greetings[0].rules

    async def ask(self, content: Content, deadline: float) -> Answer:
        """``deadline``: a moment of the loop's clock. Raises EngineFailure."""
        self._asking += 1
        self._idle.clear()
        try:
            worker = await self._free_worker(deadline)
            return await worker.ask(content, deadline - asyncio.get_running_loop().time())
        finally:
            self._asking -= 1
            if not self._asking:
                self._idle.set()

    async def finish(self, within_s: float) -> None:
        """Close once nobody waits for an answer, or after this time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        await self.aclose()

    async def aclose(self) -> None:
        self._closed = True
        await self._tasks.aclose()
        ends = [worker.end for worker in self._alive]
        for worker in tuple(self._alive):
            worker.kill()
        if ends:
            await asyncio.wait(ends, timeout=GRACE_S)

    async def _free_worker(self, deadline: float) -> Worker:
        while not self._free.empty():
            worker = self._free.get_nowait()
            if not worker.gone:
                return worker
        try:
            async with asyncio.timeout_at(deadline):
                return await self._free.get()
        except TimeoutError:
            raise EngineFailure(FailureReason.BUSY, f"{self.alive} workers alive") from None

    async def _spawn(self) -> Worker:
        _, worker = await asyncio.get_running_loop().subprocess_exec(
            lambda: Worker(self._free.put_nowait, self._ended),
            *self._command,
            stderr=None,  # ours: a traceback belongs into the service's log
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the scanner, which drains
        )
        self._alive.add(worker)
        worker.tell(self._told)
        return worker

    def _ended(self, worker: Worker) -> None:
        self._alive.discard(worker)
        if not self._closed:
            event(_LOG, logging.WARNING, "yara worker ended", alive=self.alive)
            self._tasks.spawn(self._replace(), name="replace a yara worker")

    async def _replace(self) -> None:
        await asyncio.sleep(_REPLACE_AFTER_S)
        worker = await self._spawn()
        # If it ends without one, another is asked for with that; of rules that were good before
        # there is nothing else to hear.
        with contextlib.suppress(EngineFailure):
            await worker.greeting


def _environment() -> dict[str, str]:
    """Nothing of ours, which holds secrets, but what the interpreter itself may need."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
