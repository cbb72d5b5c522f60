"""How much was counted within the last so many milliseconds: a window that slides.

Time is cut into parts, ``PARTS`` to a window, and each part has a count of its own. The window is
the part that runs and the ``PARTS`` before it, all of them whole: it is up to one part longer than
was asked for and never shorter. So whoever is let in while ``used`` allows it is never more than
the limit in *any* stretch of the window's length, and a limit that is spent is free again after
at most (1 + 1/PARTS) windows.

``Window`` counts amounts, ``Members`` different names. Times are milliseconds of one clock; a clock
that was put back counts nothing twice and forgets nothing too early. Errors: none.
"""

from typing import Final

PARTS: Final = 12


def part_ms(window_ms: int) -> int:
    """The length of one part; the window is at least ``window_ms``."""
    return max(1, -(-window_ms // PARTS))


class Window:
    """Amounts by part; at most PARTS + 1 of them are kept."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def used(self, window_ms: int, now_ms: int) -> int:
        self._forget(window_ms, now_ms)
        return max(0, sum(self._counts.values()))

    def spend(self, amount: int, window_ms: int, now_ms: int) -> None:
        """``amount`` may be negative: something is given back."""
        part = now_ms // part_ms(window_ms)
        self._counts[part] = self._counts.get(part, 0) + amount

    def _forget(self, window_ms: int, now_ms: int) -> None:
        oldest = now_ms // part_ms(window_ms) - PARTS
        for part in [each for each in self._counts if each < oldest]:
            del self._counts[part]


class Members:
    """Names by the moment they were last counted."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def used(self, window_ms: int, now_ms: int) -> int:
        self._forget(window_ms, now_ms)
        return len(self._seen)

    def has(self, name: str) -> bool:
        """Of those that ``used`` counted last."""
        return name in self._seen

    def spend(self, name: str, now_ms: int) -> None:
        self._seen[name] = max(now_ms, self._seen.get(name, 0))

    def _forget(self, window_ms: int, now_ms: int) -> None:
        oldest = now_ms - window_ms
        for name in [each for each, at_ms in self._seen.items() if at_ms <= oldest]:
            del self._seen[name]
