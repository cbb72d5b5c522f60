"""Every link of a worker that is not gone yet, those that linger after their session included."""

import asyncio
from typing import Protocol


class Abortable(Protocol):
    def abort(self) -> None: ...


class OpenLinks:
    """A process that ended while a link lingers would reset it, and its last reply be lost."""

    __slots__ = ("_links", "_none_left")

    def __init__(self) -> None:
        self._links: set[Abortable] = set()
        self._none_left = asyncio.Event()

    def __len__(self) -> int:
        return len(self._links)

    def add(self, link: Abortable) -> None:
        self._links.add(link)
        self._none_left.clear()

    def remove(self, link: Abortable) -> None:
        self._links.discard(link)
        if not self._links:
            self._none_left.set()

    async def close(self, within_s: float) -> None:
        """Wait until all are gone; abort those that are still there after ``within_s``."""
        if self._links and not await self._gone(within_s):
            for link in tuple(self._links):
                link.abort()
            await self._gone(1.0)  # aborting takes the loop a turn or two

    async def _gone(self, within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                await self._none_left.wait()
        except TimeoutError:
            return False
        return True
