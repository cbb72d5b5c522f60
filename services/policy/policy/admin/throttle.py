"""How many wrong tokens one address may show: an exact sliding window, bounded in memory."""

from collections import OrderedDict, deque
from math import ceil
from typing import Final

from policy.core.subjects import SubjectError, counted_source, normal_address
from service_kit.clock import Clock

MOST_FAILURES: Final = 10
WINDOW_S: Final = 60.0
MOST_ADDRESSES: Final = 10_000
"""Beyond it the address that failed the longest ago is forgotten: guessing 256 bits from ten
thousand addresses at once is no better than from one."""


class LoginThrottle:
    """Counts an IPv6 address by its /64."""

    __slots__ = ("_clock", "_failures")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def failed(self, address: str) -> int:
        """One more wrong token; 0: it may be refused in peace, else the seconds to wait."""
        now = self._clock.monotonic_s()
        times = self._failures.setdefault(_counted(address), deque())
        self._failures.move_to_end(_counted(address))
        if len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)
        while times and times[0] <= now - WINDOW_S:
            times.popleft()
        if len(times) >= MOST_FAILURES:
            return max(1, ceil(times[0] + WINDOW_S - now))
        times.append(now)
        return 0


def _counted(address: str) -> str:
    try:
        return counted_source(normal_address(address))
    except SubjectError:
        return ""
