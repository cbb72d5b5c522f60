"""One worker process, as asyncio sees it: asked one content at a time, bounded in time.

A worker bounds its own work by the time it was allowed; one that does not is killed. It is
free again when it has answered, also when nobody waits for the answer any more: a scan that is
given up leaves its worker to finish. Killing it would cost more than the rest of its work, and
would let anybody who can have scans called off keep us busy starting processes.

Errors: EngineFailure (LOST, MALFORMED).
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from scanner.core.content import Content
from scanner.core.replies import ReplyMalformed
from scanner.core.yara_wire import Answer, AnswerReader, Greeting, GreetingReader, question_head
from scanner.ports import EngineFailure, FailureReason

# Beyond the time a worker was allowed: its own bounds are asked between parts only.
GRACE_S: Final = 2.0
# Interpreter, binding and the builtin rules: 0.1 s. Ten thousand rules of others: a few.
_START_S: Final = 60.0
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

    def tell(self, rules: bytes) -> None:
        """A frame of ``core/yara_wire``, once and first; ``greeting`` is the answer."""
        self._questions.write(rules)

    def ask(self, content: Content, allowed_s: float) -> "asyncio.Future[Answer]":
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
        self._watchdog = loop.call_later(max(0.0, allowed_s) + GRACE_S, self.kill)
        questions = self._questions
        questions.write(question_head(content.size_octets, allowed_s))
        for piece in content.pieces:
            questions.write(piece)
        return answer

    @property
    def _questions(self) -> asyncio.WriteTransport:
        assert self._process is not None
        return cast("asyncio.WriteTransport", self._process.get_pipe_transport(_STDIN))

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
