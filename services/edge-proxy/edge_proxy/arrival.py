"""An accepted connection until it is known who came and where to; then it becomes a session.

The client may already be talking: what it says is kept, bounded, for the session that is to be
(or for an interception that reads its own header first).
"""

import asyncio
from collections.abc import Callable
from typing import Final

from edge_proxy.links.link import Link, LinkOwner
from edge_proxy.ports import AcceptedSocket, Found, Interception, NoDestination, NotFound
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import Endpoint

MOST_KEPT: Final = 65_536
"""Octets kept before reading stops (one slice more may still arrive)."""


class Arrival:
    """A ``LinkOwner`` towards the link, an ``Arrived`` towards interception."""

    __slots__ = (
        "_ended",
        "_interception",
        "_kept",
        "_link",
        "_over",
        "_search",
        "_tasks",
        "_told",
        "_within_s",
    )

    def __init__(
        self,
        link: Link,
        interception: Interception,
        within_s: float,
        tasks: Tasks,
        over: Callable[["Arrival", Found | NoDestination], LinkOwner | None],
    ) -> None:
        """``over`` is called once; it returns who owns the link from then on, or None."""
        self._link = link
        self._interception = interception
        self._within_s = within_s
        self._tasks = tasks
        self._over = over
        self._kept = b""
        self._ended = False
        self._told = asyncio.Event()
        self._search: asyncio.Task[None] | None = None

    @property
    def link(self) -> Link:
        return self._link

    # Arrived

    @property
    def peer(self) -> Endpoint:
        return self._link.source

    @property
    def socket(self) -> AcceptedSocket:
        return self._link.socket

    async def octets(self) -> bytes:
        while not self._kept:
            if self._ended:
                raise NoDestination(NotFound.LEFT)
            self._told.clear()
            await self._told.wait()
        kept, self._kept = self._kept, b""
        self._link.set_reading(True)
        return kept

    def unread(self, octets: bytes) -> None:
        self._kept = octets + self._kept

    # LinkOwner

    def began(self, link: Link) -> None:
        self._search = self._tasks.spawn(self._find(), name="find destination")

    def octets_arrived(self, link: Link, octets: bytes) -> None:
        self._kept += octets
        if len(self._kept) >= MOST_KEPT:
            link.set_reading(False)
        self._told.set()

    def ended(self, link: Link) -> None:
        self._ended = True
        self._told.set()

    def lost(self, link: Link) -> None:
        self._ended = True
        if self._search is not None:
            self._search.cancel()

    def room_changed(self, link: Link) -> None:
        """Nothing is sent before there is a session."""

    async def _find(self) -> None:
        result: Found | NoDestination = NoDestination(NotFound.LEFT)
        try:
            async with asyncio.timeout(self._within_s):
                result = await self._interception.find(self)
        except TimeoutError:
            result = NoDestination(NotFound.NO_ANSWER)
        except NoDestination as nothing:
            result = nothing
        finally:
            owner = self._over(self, result)
        if owner is not None:
            self._hand_over(owner)

    def _hand_over(self, owner: LinkOwner) -> None:
        link = self._link
        link.set_reading(True)
        link.hand_over(owner)
        if self._kept:
            owner.octets_arrived(link, self._kept)
        if self._ended:
            owner.ended(link)
