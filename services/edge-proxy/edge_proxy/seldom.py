"""Lines that would flood the log: one in a while is let through and says how many it stands for."""

from typing import Final

from service_kit.clock import Clock

PERIOD_S: Final = 10.0


class Seldom:
    """For one kind of line."""

    __slots__ = ("_clock", "_count", "_due_s")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = 0
        self._due_s = clock.monotonic_s()

    def count(self) -> int:
        """Called each time. 0: say nothing now; else the number since the last line, this one
        included."""
        self._count += 1
        now_s = self._clock.monotonic_s()
        if now_s < self._due_s:
            return 0
        told, self._count, self._due_s = self._count, 0, now_s + PERIOD_S
        return told
