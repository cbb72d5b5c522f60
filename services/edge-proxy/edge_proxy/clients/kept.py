"""Reports that policy has not taken yet: bounded in number and in octets, the oldest go first."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """``weight`` counts the octets of a report that strangers can make long."""

    __slots__ = ("_most", "_most_octets", "_octets", "_reports", "_weight")

    def __init__(self, most: int, most_octets: int, weight: Callable[[T], int]) -> None:
        self._most = most
        self._most_octets = most_octets
        self._weight = weight
        self._reports: deque[T] = deque()
        self._octets = 0

    def __len__(self) -> int:
        return len(self._reports)

    def keep(self, report: T) -> int:
        """How many others had to be dropped for it."""
        self._reports.append(report)
        self._octets += self._weight(report)
        dropped = 0
        while len(self._reports) > self._most or self._octets > self._most_octets:
            self._take()
            dropped += 1
        return dropped

    def take(self, most: int, most_octets: int) -> list[T]:
        """The oldest; one of them may go beyond ``most_octets``."""
        taken: list[T] = []
        octets = 0
        while self._reports and len(taken) < most and octets < most_octets:
            taken.append(self._take())
            octets += self._weight(taken[-1])
        return taken

    def put_back(self, taken: Sequence[T]) -> None:
        """What could not be told after all, before everything else."""
        self._reports.extendleft(reversed(taken))
        self._octets += sum(map(self._weight, taken))

    def _take(self) -> T:
        oldest = self._reports.popleft()
        self._octets -= self._weight(oldest)
        return oldest
