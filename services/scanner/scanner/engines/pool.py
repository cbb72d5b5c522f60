"""A bounded number of links to one engine, kept warm between exchanges.

Whoever wants a link waits for a free place, at most until the deadline (then BUSY). An idle
link that the engine has closed meanwhile is noticed before a single octet is sent, and a
fresh one is made instead. That is the only second try: what was sent once is not sent again.

Errors: EngineFailure (BUSY and what ``link`` says).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from scanner.engines.link import EngineLink, connect
from scanner.ports import EngineFailure, FailureReason
from service_kit.addresses import UnixOrTcp

# A link idle for longer is closed by us: clamd closes its side after CommandReadTimeout
# (30 s by default), and a link closed in the very moment of writing costs a scan.
IDLE_S: Final = 20.0


class LinkPool:
    """``most``: links open at the same time, idle ones included."""

    def __init__(self, address: UnixOrTcp, most: int) -> None:
        self._address = address
        self._places = asyncio.Semaphore(most)
        self._idle: deque[tuple[EngineLink, float]] = deque()

    @asynccontextmanager
    async def link(self, deadline: float) -> AsyncIterator[EngineLink]:
        """One link for one exchange. Kept afterwards if it is usable then, else closed."""
        await self._place(deadline)
        link = None
        try:
            link = self._warm() or await connect(self._address)
            yield link
        finally:
            if link is not None:
                self._give_back(link)
            self._places.release()

    @property
    def warm(self) -> int:
        """Idle links that could be used now."""
        return sum(link.usable for link, _ in self._idle)

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[0].abort()

    async def _place(self, deadline: float) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout_at(deadline):
                await self._places.acquire()
        except TimeoutError:
            raise EngineFailure(FailureReason.BUSY) from None

    def _warm(self) -> EngineLink | None:
        """The link used last, if it still lives; those that do not, or idled too long, go."""
        oldest_s = asyncio.get_running_loop().time() - IDLE_S
        while self._idle and self._idle[0][1] < oldest_s:
            self._idle.popleft()[0].abort()
        while self._idle:
            link, _ = self._idle.pop()
            if link.usable:
                return link
            link.abort()
        return None

    def _give_back(self, link: EngineLink) -> None:
        if link.usable:
            self._idle.append((link, asyncio.get_running_loop().time()))
        else:
            link.abort()
