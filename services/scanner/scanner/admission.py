"""Who is let in: a bounded number of scans, and a bounded number of octets held by all.

What is beyond a bound is refused at once, so that the edge can try another replica while
there is time: a queue here would only hide that this replica has enough to do. Before that,
from a share of either bound on, the farm does without spam engines: see ``crowded``.

Errors: Overloaded.
"""

from types import TracebackType
from typing import Final, Self

from scanner import metrics
from scanner.metrics import Refusal


class Overloaded(Exception):  # noqa: N818 - a state, not a mistake
    """This replica has enough to do."""

    def __init__(self, bound: Refusal) -> None:
        super().__init__(bound.value)
        metrics.REFUSED(bound).inc()


class Admission:
    """``concurrent_scans`` from opening to verdict; ``held_octets`` of content, over all.

    ``crowded_at``: the share of either from which on it is crowded; 1: it never is.
    """

    def __init__(self, concurrent_scans: int, held_octets: int, crowded_at: float = 1.0) -> None:
        self._most_scans: Final = concurrent_scans
        self._most_octets: Final = held_octets
        self._crowded_at: Final = crowded_at
        self.scans = 0
        self.octets = 0
        self.streams = 0
        self.streamed_octets = 0

    @property
    def crowded(self) -> bool:
        """Nearly all places or octets are taken: what can be left undone should be."""
        if self._crowded_at >= 1:
            return False
        return (
            self.scans > max(1, self._crowded_at * self._most_scans)
            or self.octets > self._crowded_at * self._most_octets
        )

    def admit(self) -> "Place":
        """A place for one scan, free again when its ``with`` ends. Raises Overloaded."""
        if self.scans >= self._most_scans:
            raise Overloaded(Refusal.SCANS)
        return Place(self)

    def admit_stream(self) -> "Place":
        """The same for content that comes as slowly as its sender likes.

        Streams get half of the places and half of the octets: a few clients that send for an
        hour must not keep everybody else's small messages out.
        """
        if self.streams >= max(1, self._most_scans // 2):
            raise Overloaded(Refusal.SCANS)
        place = self.admit()
        place.streamed = True
        return place

    def hold(self, octets: int, *, streamed: bool) -> None:
        if self.octets + octets > self._most_octets:
            raise Overloaded(Refusal.OCTETS)
        if streamed:
            if self.streamed_octets + octets > self._most_octets // 2:
                raise Overloaded(Refusal.OCTETS)
            self.streamed_octets += octets
        self.octets += octets
        metrics.HELD_OCTETS().inc(octets)


class Place:
    """One admitted scan and the octets it holds."""

    __slots__ = ("_admission", "_held", "streamed")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._held = 0
        self.streamed = False

    def hold(self, octets: int) -> None:
        """Before they are kept. Raises Overloaded."""
        self._admission.hold(octets, streamed=self.streamed)
        self._held += octets

    def __enter__(self) -> Self:
        self._admission.scans += 1
        self._admission.streams += self.streamed
        metrics.IN_FLIGHT().inc()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._admission.scans -= 1
        self._admission.octets -= self._held
        if self.streamed:
            self._admission.streams -= 1
            self._admission.streamed_octets -= self._held
        metrics.IN_FLIGHT().dec()
        metrics.HELD_OCTETS().dec(self._held)
