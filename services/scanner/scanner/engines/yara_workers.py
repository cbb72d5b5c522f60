"""A fixed number of worker processes, one content each at a time; who dies is replaced.

A worker bounds its own work by the time it was allowed; one that does not is killed. A scan
that is given up leaves its worker to finish: killing it would cost more than the rest of its
work, and would let anybody who can have scans called off keep us busy starting processes.

Errors: EngineFailure; StartError when the rules cannot be used.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from scanner.core.replies import ReplyMalformed
from scanner.core.yara_wire import Answer, AnswerReader, Greeting, GreetingReader, question_head
from scanner.ports import EngineFailure, FailureReason
from service_kit.errors import StartError
from service_kit.logs import event
from service_kit.tasks import Tasks

_LOG: Final = logging.getLogger(__name__)
_WORKER: Final = "scanner.engines.yara_worker"
# Beyond the time a worker was allowed: its own bounds are asked between parts only.
_GRACE_S: Final = 2.0
# Interpreter, binding and the builtin rules: 0.3 s. Ten thousand rules of others: a few.
_START_S: Final = 60.0
# Before a worker that died is replaced: a fault in every content must not become a fork bomb.
_REPLACE_AFTER_S: Final = 0.5
_STDIN, _STDOUT = 0, 1


class Worker(asyncio.SubprocessProtocol):
    """One process. ``on_free`` when it can be asked, ``on_end`` when it is gone."""

    def __init__(
        self, on_free: "Callable[[Worker], None]", on_end: "Callable[[Worker], None]"
    ) -> None:
        loop = asyncio.get_running_loop()
        self.greeting: asyncio.Future[Greeting] = loop.create_future()
        self.end: asyncio.Future[None] = loop.create_future()
        self._on_free = on_free
        self._on_end = on_end
        self._reader: GreetingReader | AnswerReader = GreetingReader()
        self._answer: asyncio.Future[Any] = self.greeting
        self._watchdog = loop.call_later(_START_S, self.kill)
        self._process: asyncio.SubprocessTransport | None = None
        self._busy = True  # with its rules

    def ask(self, content: bytes, allowed_s: float) -> "asyncio.Future[Answer]":
        """Only of a worker that ``on_free`` gave. Cancelling the future lets it finish alone."""
        assert self._process is not None
        assert not self._busy
        if self.gone:
            raise EngineFailure(FailureReason.LOST, "a worker ended while nobody needed it")
        self._busy = True
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._answer = answer
        self._reader = AnswerReader()
        self._watchdog = loop.call_later(max(0.0, allowed_s) + _GRACE_S, self.kill)
        questions = cast("asyncio.WriteTransport", self._process.get_pipe_transport(_STDIN))
        questions.write(question_head(len(content), allowed_s))
        if content:
            questions.write(content)
        return answer

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.get_pid() or 0

    @property
    def gone(self) -> bool:
        return self.end.done()

    def kill(self) -> None:
        if self._process is not None and not self.gone:
            self._process.kill()

    # asyncio.SubprocessProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio's classes, not the classes.
        self._process = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        assert fd == _STDOUT
        assert isinstance(data, bytes)
        try:
            said = self._reader.feed(data)
        except ReplyMalformed as wrong:
            self._distrust(str(wrong))
            return
        if not self._busy or self._reader.trailing:
            self._distrust("more than was asked for")
            return
        if said is None:
            return
        self._busy = False
        self._watchdog.cancel()
        self._settle(said)
        if not (isinstance(said, Greeting) and said.trouble):
            self._on_free(self)

    def process_exited(self) -> None:
        assert self._process is not None
        self._watchdog.cancel()
        code = self._process.get_returncode()
        self._settle(EngineFailure(FailureReason.LOST, f"a worker ended with {code}"))
        self._process.close()
        self.end.set_result(None)
        self._on_end(self)

    def _distrust(self, why: str) -> None:
        # Without this, a content that gets hold of the process could answer for the next one.
        self._settle(EngineFailure(FailureReason.MALFORMED, why))
        self.kill()

    def _settle(self, said: Greeting | Answer | EngineFailure) -> None:
        if self._answer.done():
            return  # given up, or answered before it died
        if isinstance(said, EngineFailure):
            self._answer.set_exception(said)
        else:
            self._answer.set_result(said)


class Workers:
    """``arguments``: of each process. ``count`` of them are kept alive from ``start`` on."""

    def __init__(self, arguments: Sequence[str], count: int) -> None:
        self._command = (sys.executable, "-I", "-m", _WORKER, *arguments)
        self._count = count
        self._alive: set[Worker] = set()
        self._free: asyncio.Queue[Worker] = asyncio.Queue()
        self._tasks = Tasks()
        self._closed = False
        self.rules = 0

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

    async def ask(self, content: bytes, deadline: float) -> Answer:
        """``deadline``: a moment of the loop's clock. Raises EngineFailure."""
        worker = await self._free_worker(deadline)
        return await worker.ask(content, deadline - asyncio.get_running_loop().time())

    async def aclose(self) -> None:
        self._closed = True
        await self._tasks.aclose()
        ends = [worker.end for worker in self._alive]
        for worker in tuple(self._alive):
            worker.kill()
        if ends:
            await asyncio.wait(ends, timeout=_GRACE_S)

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
        return worker

    def _ended(self, worker: Worker) -> None:
        self._alive.discard(worker)
        if not self._closed:
            event(_LOG, logging.WARNING, "yara worker ended", alive=self.alive)
            self._tasks.spawn(self._replace(), name="replace a yara worker")

    async def _replace(self) -> None:
        await asyncio.sleep(_REPLACE_AFTER_S)
        worker = await self._spawn()
        try:
            greeting = await worker.greeting
        except EngineFailure:
            return  # it ended, and with that another one was asked for
        if greeting.trouble:
            event(_LOG, logging.ERROR, "yara rules cannot be used any more", why=greeting.trouble)


def _environment() -> dict[str, str]:
    """Nothing of ours, which holds secrets, but what the interpreter itself may need."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
