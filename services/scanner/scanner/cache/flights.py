"""Who is asking an engine right now: one of this replica asks, the others wait for him.

A flight lands with statements, or with none, because its leader failed or was called off. Then
one of those who waited leads the next, and the others wait on: a failure is nobody else's.
No errors of its own; everything here happens between two awaits of one loop.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from scanner.core.verdict import Statement


class Flight:
    """One question on its way to the engine."""

    __slots__ = ("_landed",)

    def __init__(self) -> None:
        self._landed: asyncio.Future[tuple[Statement, ...] | None] = (
            asyncio.get_running_loop().create_future()
        )

    def land(self, statements: tuple[Statement, ...] | None) -> None:
        """None: with nothing. Only the first landing counts."""
        if not self._landed.done():
            self._landed.set_result(statements)

    async def landing(self, until_s: float) -> tuple[Statement, ...] | None:
        """What it landed with; None also when it has not by ``until_s`` of the loop's clock."""
        left_s = until_s - asyncio.get_running_loop().time()
        await asyncio.wait((self._landed,), timeout=max(0.0, left_s))
        return self._landed.result() if self._landed.done() else None


class Flights:
    """At most one for each key; as many as there are scans under way."""

    def __init__(self) -> None:
        self._under_way: dict[str, Flight] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def of(self, key: str) -> Flight | None:
        return self._under_way.get(key)

    @contextmanager
    def leading(self, key: str) -> Iterator[Flight]:
        """A new flight, when there is none of that key; over, landed or not, with the ``with``."""
        assert key not in self._under_way
        flight = self._under_way[key] = Flight()
        try:
            yield flight
        finally:
            del self._under_way[key]
            flight.land(None)
