"""Runs the operator's script for events, beside the sessions and never in their way.

So many run at a time, so many events wait; beyond, events are dropped and counted. Each run has
a process group of its own, nothing on stdin, a clean environment, and a deadline at which the
whole group is killed. What it writes is logged, up to a bound; the rest is read away.

Nothing leaves here: a script that cannot be started, fails or hangs is a line in the log and
a count in ``edge_event_scripts``.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge_proxy import metrics
from edge_proxy.events.names import GROUPS, EventName
from edge_proxy.events.occurrence import Occurrence, arguments, environment
from edge_proxy.events.process import REAP_S, Output, ended_with, kill, spawned
from edge_proxy.events.settings import EventSettings
from edge_proxy.metrics import ScriptEnd
from service_kit.logs import event
from service_kit.tasks import Tasks

_LOG: Final = logging.getLogger(__name__)
_LEVELS: Final[Mapping[ScriptEnd, int]] = {ScriptEnd.DONE: logging.INFO}


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
        await self._tasks.aclose(REAP_S)

    async def _run_all(self, first: Occurrence) -> None:
        await self._run(first)
        while self._waiting:
            about = self._waiting.popleft()
            self._overflowing = False
            await self._run(about)

    async def _run(self, about: Occurrence) -> None:
        output = Output()
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

    async def _ended(self, about: Occurrence, output: Output) -> tuple[ScriptEnd, int | None]:
        """How it ended, and its exit code; negative: the signal. Raises OSError: not started."""
        with output as descriptor:
            pid = spawned(
                (self._script, *arguments(about)),
                environment(about, self._proxy_name, self._local),
                descriptor,
            )
        reaped = False
        try:
            async with asyncio.timeout(self._timeout_s):
                code = await ended_with(pid)
            reaped = True
        except TimeoutError:
            return ScriptEnd.TIMED_OUT, None
        finally:
            if not reaped:
                await kill(pid)
        return (ScriptEnd.FAILED if code else ScriptEnd.DONE), code
