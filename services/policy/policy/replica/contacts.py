"""Which edges were heard of lately, in memory until the next chore writes them down."""

from typing import Final

from service_kit.clock import Clock

MOST_EDGES: Final = 10_000
"""Remembered between two chores; more than any farm has workers. Beyond it new ones wait."""

MOST_CHARACTERS: Final = 128


class EdgeContacts:
    __slots__ = ("_clock", "_heard")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: dict[str, int] = {}

    def heard_of(self, edge_id: str) -> None:
        """Somebody who names himself so has just spoken to us."""
        if not edge_id or (len(self._heard) >= MOST_EDGES and edge_id not in self._heard):
            return
        self._heard[edge_id[:MOST_CHARACTERS]] = self._clock.unix_ms()

    def take(self) -> dict[str, int]:
        """Edge -> last contact (Unix ms) since the last call."""
        heard, self._heard = self._heard, {}
        return heard
