"""The only place that makes asyncio tasks: each is referenced, named, and never fails unseen.

The loop itself keeps only weak references, and an exception in a task nobody awaits is
reported, if at all, when the garbage collector comes by. Here a failure is one log line with
its traceback and one count, at once.
"""

import asyncio
import logging
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from service_kit.logs import event
from service_kit.metrics import counter

Result = TypeVar("Result")

_LOG: Final = logging.getLogger(__name__)
_FAILURES: Final = counter(
    "smtpgated_task_failures", "Background tasks that ended with an exception nobody expected."
)
# How long cancelled tasks may clean up before they are named in the log and left behind.
_PATIENCE_S: Final = 5.0


class Tasks:
    """Background work of one owner. Unbounded: the owner bounds what it spawns."""

    __slots__ = ("_closed", "_running")

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, work: Coroutine[Any, Any, Result], *, name: str) -> asyncio.Task[Result]:
        """Start ``work`` now. After ``aclose`` it is a bug to spawn."""
        if self._closed:
            work.close()
            raise RuntimeError(f"{name}: spawned after its owner was closed")
        task = asyncio.create_task(work, name=name)  # noqa: TID251 - this is the place
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    async def aclose(self, patience_s: float = _PATIENCE_S) -> None:
        """Cancel all and wait for their ends; what does not end in time is logged by name."""
        self._closed = True
        waited_for = self._running - {asyncio.current_task()}
        for task in waited_for:
            task.cancel()
        if waited_for:
            _, stuck = await asyncio.wait(waited_for, timeout=patience_s)
            if stuck:
                names = sorted(task.get_name() for task in stuck)
                event(_LOG, logging.ERROR, "tasks do not end", names=names)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        failure = task.exception()
        if failure is not None:
            _FAILURES().inc()
            event(_LOG, logging.ERROR, "task failed", task=task.get_name(), exc_info=failure)
