"""How far we look inside one content: depth, parts, octets and time, spent as we go.

Whoever writes a message also writes its nesting, its boundaries and its archives. Each step
inwards is paid for here before it is taken, so that a bomb costs what the budget allows and
not what its author intended.

Errors: BudgetExceeded, which says what ran out.
"""

from collections.abc import Callable
from dataclasses import dataclass


class BudgetExceeded(Exception):  # noqa: N818 - a bound that was reached, not a mistake
    """There is more inside than we are ready to look at; the text is for logs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one content. Octets are those that decoding produced, added up over all parts."""

    depth: int = 24
    parts: int = 10_000
    octets: int = 128 * 1024 * 1024


class Budget:
    """What is left of the limits. ``out_of_time`` is asked at every part."""

    __slots__ = ("_depth", "_out_of_time", "octets_left", "parts_left")

    def __init__(self, limits: Limits, out_of_time: Callable[[], bool]) -> None:
        self.parts_left = limits.parts
        self.octets_left = limits.octets
        self._depth = limits.depth
        self._out_of_time = out_of_time

    def enter(self, depth: int) -> None:
        """Before anything is looked into: one part, ``depth`` levels below the content."""
        if depth > self._depth:
            raise BudgetExceeded(f"more than {self._depth} levels")
        if self._out_of_time():
            raise BudgetExceeded("no time left to look at all parts")
        self.parts_left -= 1
        if self.parts_left < 0:
            raise BudgetExceeded("too many parts")

    def spend_octets(self, octets: int) -> None:
        """Decoding produced them."""
        self.octets_left -= octets
        if self.octets_left < 0:
            raise BudgetExceeded("too many octets once decoded")
