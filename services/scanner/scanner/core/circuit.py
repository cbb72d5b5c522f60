"""Whether a backend is worth asking: it is left alone for a while when it fails again and again.

    CLOSED     asked like any other
    OPEN       not asked until its pause is over; the pause doubles with every failed trial
    HALF OPEN  the pause is over: one trial goes through, and tells which of the two comes next

Times are seconds of any clock that only goes forward.
"""

from enum import Enum
from typing import Final

FAILURES: Final = 3
"""In a row, until it opens."""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 15.0


class CircuitState(Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Circuit:
    __slots__ = ("_failures", "_open_until_s", "_pause_s", "_trial")

    def __init__(self) -> None:
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._open_until_s = 0.0
        self._trial = False

    def state(self, now_s: float) -> CircuitState:
        if self._failures < FAILURES:
            return CircuitState.CLOSED
        return CircuitState.OPEN if now_s < self._open_until_s else CircuitState.HALF_OPEN

    def asked(self, now_s: float) -> None:
        """Somebody is being sent there; a trial keeps all others away for another pause."""
        if self.state(now_s) is CircuitState.HALF_OPEN:
            self._trial = True
            self._open_until_s = now_s + self._pause_s

    def succeeded(self) -> None:
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._trial = False

    def failed(self, now_s: float) -> None:
        """Late failures of scans that began before it opened say nothing new."""
        if self._trial:
            self._trial = False
            self._pause_s = min(LONGEST_PAUSE_S, self._pause_s * 2)
            self._open_until_s = now_s + self._pause_s
        elif self._failures < FAILURES:
            self._failures += 1
            self._open_until_s = now_s + self._pause_s
