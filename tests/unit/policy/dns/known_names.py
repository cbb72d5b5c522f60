"""Name servers that know what a test says, or fail, or wait."""

import asyncio
from collections.abc import Mapping

from policy.dns.cache import AnswerCache
from policy.dns.records import Answer, Lookup, Value
from policy.dns.resolver import Resolver
from service_kit.failures import FailureKind, Unavailable

FAILURE = Unavailable("dns", FailureKind.BROKEN, retryable=True)


class KnownNames:
    """``values``: by lookup; a lookup that is not there is nothing. ``held``: nobody answers."""

    def __init__(self, values: Mapping[Lookup, tuple[Value, ...] | Unavailable]) -> None:
        self.values = dict(values)
        self.asked: list[Lookup] = []
        self.held = asyncio.Event()
        self.held.set()

    async def ask(self, lookup: Lookup, deadline: float) -> Answer:
        self.asked.append(lookup)
        async with asyncio.timeout_at(deadline):
            await self.held.wait()
        found = self.values.get(lookup, ())
        if isinstance(found, Unavailable):
            raise found
        return Answer(found, 60)


def resolver_of(names: KnownNames, most_at_once: int = 100) -> Resolver:
    return Resolver(names, AnswerCache(2**20), 30, most_at_once)
