"""What time it is, as a port: the machine's clock, and the one tests turn by hand.

``monotonic_s`` measures spans and deadlines; ``unix_ms`` dates what other machines read.
"""

import time
from typing import Final, Protocol


class Clock(Protocol):
    def monotonic_s(self) -> float:
        """Seconds since an arbitrary moment; never goes back."""
        ...

    def unix_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC; may jump when the machine's clock is set."""
        ...


class SystemClock:
    """The machine's own clock."""

    __slots__ = ()

    def monotonic_s(self) -> float:
        return time.monotonic()

    def unix_ms(self) -> int:
        return time.time_ns() // 1_000_000


class ManualClock:
    """Stands still until told to go on; both faces advance together."""

    __slots__ = ("_monotonic_s", "_unix_s")

    def __init__(self, monotonic_s: float = 1_000.0, unix_s: float = 1_700_000_000.0) -> None:
        self._monotonic_s = monotonic_s
        self._unix_s = unix_s

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def unix_ms(self) -> int:
        return round(self._unix_s * 1000)

    def advance(self, seconds: float) -> None:
        assert seconds >= 0, "time does not go back; set_unix is for a clock that jumps"
        self._monotonic_s += seconds
        self._unix_s += seconds

    def set_unix(self, unix_s: float) -> None:
        """The wall clock is set (NTP, an operator); spans are not touched."""
        self._unix_s = unix_s


SYSTEM_CLOCK: Final = SystemClock()
