"""Lookups for many askers at once: from the cache, else over the network, each name once.

Who asks has a deadline of his own; a lookup that outlives its asker still fills the cache. At
most ``most_at_once`` are under way: beyond it a lookup fails at once, and what it was for goes
on without. A lookup that fails is an outcome, not an error.
"""

import asyncio
from typing import Final, Protocol

from policy.dns.cache import AnswerCache, Outcome
from policy.dns.records import Answer, Lookup
from policy.metrics import LOOKUPS, LookupFate
from service_kit.failures import FailureKind, Unavailable, translated
from service_kit.tasks import Tasks


class Servers(Protocol):
    """Who knows; see ``exchange.NameServers``."""

    async def ask(self, lookup: Lookup, deadline: float) -> Answer: ...


class Resolver:
    """``longest_s``: how long one lookup may take, whoever asks for it."""

    def __init__(
        self, servers: Servers, cache: AnswerCache, longest_s: float, most_at_once: int
    ) -> None:
        self._servers = servers
        self._cache = cache
        self._longest_s = longest_s
        self._most_at_once: Final = most_at_once
        self._under_way: dict[Lookup, asyncio.Task[Outcome]] = {}
        self._tasks = Tasks()

    def known(self, lookup: Lookup) -> Outcome | None:
        """What came of it, if that is known already; never raises."""
        outcome = self._cache.get(lookup, asyncio.get_running_loop().time())
        if outcome is not None:
            LOOKUPS(LookupFate.KNOWN).inc()
        return outcome

    async def find(self, lookup: Lookup, deadline: float) -> Outcome:
        """What comes of it; never raises. ``deadline``: the loop's clock."""
        outcome = self.known(lookup)
        if outcome is not None:
            return outcome
        try:
            with translated("dns"):
                async with asyncio.timeout_at(deadline):
                    # A shield: others may wait for the same.
                    return await asyncio.shield(self._asked(lookup))
        except Unavailable as error:
            return error

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def _asked(self, lookup: Lookup) -> asyncio.Task[Outcome]:
        present = self._under_way.get(lookup)
        if present is not None:
            return present
        if len(self._under_way) >= self._most_at_once:
            LOOKUPS(LookupFate.TOO_MANY).inc()
            raise Unavailable("dns", FailureKind.OVERLOADED, retryable=True, detail="lookups")
        task = self._tasks.spawn(self._ask(lookup), name="lookup")
        self._under_way[lookup] = task
        task.add_done_callback(lambda _: self._under_way.pop(lookup))
        return task

    async def _ask(self, lookup: Lookup) -> Outcome:
        loop = asyncio.get_running_loop()
        outcome: Outcome
        try:
            outcome = await self._servers.ask(lookup, loop.time() + self._longest_s)
        except Unavailable as error:
            outcome = error
            LOOKUPS(LookupFate.FAILED).inc()
        else:
            LOOKUPS(LookupFate.FOUND if outcome.values else LookupFate.NOTHING).inc()
        self._cache.put(lookup, outcome, loop.time())
        return outcome
