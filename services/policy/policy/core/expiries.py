"""What ends when: found without looking at what does not end yet.

A heap of (end, key), read lazily: an entry that was replaced or removed leaves its old end behind,
which ``due`` names all the same, so whoever asks looks whether it still ends then. When more old
ends than entries have gathered, ``add`` says so, and whoever has the entries gives them anew.
"""

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush

_SLACK = 1000


class Expiries:
    """Keys are subjects or networks; ends are Unix milliseconds, 0: never."""

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, key: str, at_ms: int, entries: int) -> bool:
        """Whether ``renew`` is called for; ``entries``: how many there are in all."""
        if at_ms:
            heappush(self._heap, (at_ms, key))
        return len(self._heap) > 2 * entries + _SLACK

    def renew(self, ends: Iterable[tuple[int, str]]) -> None:
        """(end, key) of each entry."""
        self._heap = [each for each in ends if each[0]]
        heapify(self._heap)

    def due(self, now_ms: int) -> Iterator[str]:
        """Each key whose end has come, some of them maybe twice; asked once, it is forgotten."""
        while self._heap and self._heap[0][0] <= now_ms:
            yield heappop(self._heap)[1]
