"""Outcomes, totals and edges' last contacts in Redis: for people, never for decisions."""

from collections.abc import Mapping, Sequence

from policy.core.journal import EDGE_MEMORY_MS, OutcomeEntry
from policy.ports import Summary
from policy.store.records import OUTCOMES
from policy.store.redis.keys import MOST_OUTCOMES, Keys
from policy.store.redis.link import Command, RedisLink, call
from policy.store.redis.script_files import LIST_SESSIONS
from service_kit.clock import Clock


class RedisJournal:
    """The Journal. ``clock`` None: the clock of Redis."""

    def __init__(self, link: RedisLink, keys: Keys, clock: Clock | None) -> None:
        self._link = link
        self._keys = keys
        self._clock = clock

    async def record(self, entries: Sequence[OutcomeEntry], totals: Mapping[str, int]) -> None:
        keep = (self._keys.outcomes, "MAXLEN", "~", MOST_OUTCOMES, "*", "entry")
        commands: list[Command] = [("XADD", *keep, OUTCOMES.to_text(entry)) for entry in entries]
        commands += [("HINCRBY", self._keys.totals, name, by) for name, by in totals.items()]
        if commands:
            await self._link.run(*commands)

    async def outcomes(self, limit: int) -> tuple[OutcomeEntry, ...]:
        (found,) = await self._link.run(
            ("XREVRANGE", self._keys.outcomes, "+", "-", "COUNT", limit)
        )
        return tuple(OUTCOMES.from_text(fields["entry"]) for _, fields in found)

    async def edges_seen(self, last_contact_ms: Mapping[str, int]) -> None:
        if not last_contact_ms:
            return
        oldest = max(last_contact_ms.values()) - EDGE_MEMORY_MS
        scores = [part for edge, at in last_contact_ms.items() for part in (at, edge)]
        await self._link.run(
            # GT: a replica that saw the edge earlier must not set the contact back.
            ("ZADD", self._keys.edges, "GT", *scores),
            ("ZREMRANGEBYSCORE", self._keys.edges, "-inf", f"({oldest}"),
        )

    async def summary(self) -> Summary:
        now = self._clock.unix_ms() if self._clock else 0
        keys = (self._keys.leases, self._keys.opened, self._keys.sessions)
        sessions, totals, edges = await self._link.run(
            call(LIST_SESSIONS, keys, now, 0, 0),
            ("HGETALL", self._keys.totals),
            ("ZRANGE", self._keys.edges, 0, -1, "WITHSCORES"),
        )
        return Summary(
            sessions[0],
            {name: int(count) for name, count in totals.items()},
            {edge: int(at) for edge, at in zip(edges[::2], edges[1::2], strict=True)},
        )
