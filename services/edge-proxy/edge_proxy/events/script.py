"""Runs the operator's script for events, beside the sessions and never in their way.

So many run at a time, so many events wait; beyond, events are dropped and counted. Each run has
a process group of its own, nothing on stdin, a clean environment, and a deadline at which the
whole group is killed. What it writes is logged, up to a bound; the rest is read away.

Nothing leaves here: a script that cannot be started, fails or hangs is a line in the log and
a count in ``edge_event_scripts``.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import Field, field_validator

from edge_proxy import metrics
from edge_proxy.events.names import GROUPS, EventGroup, EventName
from edge_proxy.events.occurrence import Occurrence, arguments, environment
from edge_proxy.metrics import ScriptEnd
from service_kit.config import Settings
from service_kit.logs import event
from service_kit.tasks import Tasks

LOGGED_OCTETS: Final = 4096
LOGGED_LINES: Final = 32
_SLICE: Final = 65_536
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_LOOK_S: Final = 0.05
_REAP_S: Final = 2.0
"""A killed process is gone at once, unless it is stuck in the kernel."""
_LOG: Final = logging.getLogger(__name__)
_LEVELS: Final[Mapping[ScriptEnd, int]] = {ScriptEnd.DONE: logging.INFO}


class EventSettings(Settings):
    script: Path | None = None
    """Program run for events, with smtp-gated's arguments and environment; none: no events."""
    on: tuple[EventGroup, ...] = tuple(
        each for each in EventGroup if each not in (EventGroup.LOCK, EventGroup.RULE)
    )
    """Events it is run for; lock and rule are as many as the rulebook makes them."""
    timeout_s: float = Field(default=60.0, gt=0, le=3600)
    """Seconds a run may take before its process group is killed."""
    concurrent: int = Field(default=4, ge=1, le=256)
    """Runs at the same time, of one worker."""
    queue: int = Field(default=1000, ge=0, le=100_000)
    """Events that wait for a run; beyond, they are dropped and counted."""

    @field_validator("script")
    @classmethod
    def _script_can_be_run(cls, script: Path | None) -> Path | None:
        if script is None:
            return None
        if not script.is_absolute():
            raise ValueError("must be an absolute path")
        if not (script.is_file() and os.access(script, os.X_OK)):
            raise ValueError("must be an executable file")
        return script


class NoScript:
    """An ``EventPort`` for an edge without a script."""

    def wants(self, _name: EventName) -> bool:
        return False

    def tell(self, about: Occurrence) -> None:
        raise AssertionError(f"{about.name} was not wanted")

    async def drain(self, _patience_s: float) -> None:
        """Nothing runs."""


class EventScript:
    """An ``EventPort``. ``proxy_name`` and ``local`` are variables of the script's."""

    def __init__(
        self, script: Path, settings: EventSettings, proxy_name: str, local: tuple[str, int]
    ) -> None:
        self._script = str(script)
        self._proxy_name = proxy_name
        self._local = local
        self._wanted = frozenset(name for name in EventName if GROUPS[name] in settings.on)
        self._timeout_s = settings.timeout_s
        self._concurrent = settings.concurrent
        self._most_waiting = settings.queue
        self._waiting: deque[Occurrence] = deque()
        self._tasks = Tasks()
        self._overflowing = False

    def wants(self, name: EventName) -> bool:
        return name in self._wanted

    def tell(self, about: Occurrence) -> None:
        if len(self._tasks) < self._concurrent:
            self._tasks.spawn(self._run_all(about), name="event script")
        elif len(self._waiting) < self._most_waiting:
            self._waiting.append(about)
        else:
            metrics.EVENT_SCRIPTS(ScriptEnd.DROPPED).inc()
            if not self._overflowing:  # said once, not once an event
                event(_LOG, logging.WARNING, "event scripts do not keep up", waiting=len(self))
            self._overflowing = True

    def __len__(self) -> int:
        return len(self._tasks) + len(self._waiting)

    async def drain(self, patience_s: float) -> None:
        """Let what runs and waits come to its end, so long; what is left is killed or dropped."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + patience_s
        while len(self) and loop.time() < until_s:  # noqa: ASYNC110 - once a life
            await asyncio.sleep(0.02)
        metrics.EVENT_SCRIPTS(ScriptEnd.DROPPED).inc(len(self._waiting))
        self._waiting.clear()
        await self._tasks.aclose(_REAP_S)

    async def _run_all(self, first: Occurrence) -> None:
        await self._run(first)
        while self._waiting:
            about = self._waiting.popleft()
            self._overflowing = False
            await self._run(about)

    async def _run(self, about: Occurrence) -> None:
        output = _Output()
        began_s = asyncio.get_running_loop().time()
        end, code = ScriptEnd.CUT, None
        try:
            end, code = await self._ended(about, output)
        except OSError as wrong:
            end = ScriptEnd.NOT_STARTED
            output.kept = (wrong.strerror or str(wrong)).encode()
        finally:
            output.close()
            metrics.EVENT_SCRIPTS(end).inc()
            event(
                _LOG,
                _LEVELS.get(end, logging.WARNING),
                "event script",
                found=about.name.value,
                session=about.session.session_id,
                end=end,
                code=code,
                output=output.lines,
                spent_s=round(asyncio.get_running_loop().time() - began_s, 3),
            )

    async def _ended(self, about: Occurrence, output: "_Output") -> tuple[ScriptEnd, int | None]:
        """How it ended, and its exit code; negative: the signal. Raises OSError: not started."""
        with output as descriptor:
            pid = _spawned(
                (self._script, *arguments(about)),
                environment(about, self._proxy_name, self._local),
                descriptor,
            )
        reaped = False
        try:
            async with asyncio.timeout(self._timeout_s):
                code = await _ended_with(pid)
            reaped = True
        except TimeoutError:
            return ScriptEnd.TIMED_OUT, None
        finally:
            if not reaped:
                await _kill(pid)
        return (ScriptEnd.FAILED if code else ScriptEnd.DONE), code


def _spawned(command: tuple[str, ...], variables: Mapping[str, str], output: int) -> int:
    """The process id, which is that of its group, too. Raises OSError.

    Not fork: gRPC has threads here, and after a fork with them under way the child aborts, or
    this process hangs. posix_spawn runs nothing between the two (seen with grpcio 1.85).
    """
    return os.posix_spawn(
        command[0],
        command,
        variables,
        file_actions=(
            (os.POSIX_SPAWN_OPEN, _STDIN, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, _STDOUT),
            (os.POSIX_SPAWN_DUP2, output, _STDERR),
        ),
        setpgroup=0,
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # Python ignores them; programs do not
    )


async def _ended_with(pid: int) -> int:
    """Its exit code; negative: the signal. By looking: no watcher of a loop's knows of it."""
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)  # noqa: ASYNC222 - does not wait
        if ended:
            return os.waitstatus_to_exitcode(status)
        await asyncio.sleep(_LOOK_S)


async def _kill(pid: int) -> None:
    """The script and what it started, as far as that stayed in its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_REAP_S):
            await _ended_with(pid)


class _Output:
    """A pipe of our own, so that a script's child that outlives it is not waited for.

    ``with`` it: the end that the script is to write to, closed here afterwards.
    """

    def __init__(self) -> None:
        self.kept = b""
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read, self._take)

    def __enter__(self) -> int:
        return self._write

    def __exit__(self, *_: object) -> None:
        os.close(self._write)

    @property
    def lines(self) -> list[bytes]:
        return self.kept.splitlines()[:LOGGED_LINES]

    def close(self) -> None:
        self._take()
        self._loop.remove_reader(self._read)
        os.close(self._read)

    def _take(self) -> None:
        try:
            octets = os.read(self._read, _SLICE)
        except BlockingIOError:
            return
        if not octets:
            self._loop.remove_reader(self._read)
        self.kept += octets[: LOGGED_OCTETS - len(self.kept)]
