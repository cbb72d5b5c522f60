"""One timer a session: it starts anew with every step forward, and hardly ever has to be moved.

Steps come with every slice, timers fire hardly ever. So the timer stays where it is while only
the deadline moves on, and looks at the deadline when it fires.
"""

import asyncio
from collections.abc import Callable


class Patience:
    __slots__ = ("_deadline", "_over", "_progress", "_timer")

    def __init__(self, over: Callable[[], None]) -> None:
        """``over`` is called when a deadline has passed without progress."""
        self._over = over
        self._progress: object = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def follow(self, progress: object, patience_s: float) -> None:
        """``patience_s`` from now, if ``progress`` is not what it was."""
        if progress == self._progress:
            return
        self._progress = progress
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + patience_s
        if self._timer is None or self._timer.when() > self._deadline:
            self.stop()
            self._timer = loop.call_at(self._deadline, self._fired)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fired(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._deadline:
            self._timer = loop.call_at(self._deadline, self._fired)
            return
        self._timer = None
        self._over()
