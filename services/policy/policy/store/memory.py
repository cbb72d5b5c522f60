"""The in-memory twin of the Redis store: one process, nothing kept, the same behaviour.

Leases are the pure ``LeaseBook``; changes are a bounded list with revisions. ``away`` makes
every call fail as a lost Redis does: tests switch it.
"""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Final

from policy.core.audit import Area, Authorship
from policy.core.exemptions import Exemption
from policy.core.farm import (
    Change,
    ExemptionRemoved,
    IdentitiesPut,
    IdentitiesRemoved,
    LockRemoved,
    Picture,
    StoredRulebook,
)
from policy.core.identities import MOST_IDENTITIES, IdentityEnd, NetworkIdentity
from policy.core.journal import EDGE_MEMORY_MS, OutcomeEntry
from policy.core.leases import LEASE_S, LeaseBook
from policy.core.locks import outlasts
from policy.core.penalties import Points
from policy.core.rates import RateBook, Request, Settled, Spend
from policy.core.subjects import counted_source
from policy.ports import (
    ChangeBatch,
    FeedGap,
    IdentitiesGone,
    LeasePage,
    LockWritten,
    PenaltyPage,
    Punished,
    Summary,
)
from policy.store.memory_amending import MemoryAmending
from policy.store.memory_decisions import MemoryDecisions
from service_kit.clock import SYSTEM_CLOCK, Clock
from service_kit.failures import FailureKind, Unavailable
from smtpgated_contracts.values.policy import Lock

MOST_CHANGES: Final = 10_000
MOST_OUTCOMES: Final = 10_000
FEED_WAIT_S: Final = 1.0


class MemoryStore(MemoryAmending, MemoryDecisions):
    """A PolicyStore for tests and for one replica that may forget everything."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK, lease_ms: int = LEASE_S * 1000) -> None:
        self.away = ""
        self.most_identities = MOST_IDENTITIES
        self._clock = clock
        self._lease_ms = lease_ms
        self._changed = asyncio.Condition()
        self.forget_everything()

    def forget_everything(self) -> None:
        """What a Redis without persistence does when it is restarted."""
        self._book = LeaseBook(self._lease_ms)
        self._rates = RateBook()
        self._points: dict[str, Points] = {}
        self._locks: dict[str, Lock] = {}
        self._exemptions: dict[str, Exemption] = {}
        self._identities: dict[str, NetworkIdentity] = {}
        self._rulebook: StoredRulebook | None = None
        self._revision = 0
        self._changes: deque[tuple[int, Change]] = deque(maxlen=MOST_CHANGES)
        self._outcomes: deque[OutcomeEntry] = deque(maxlen=MOST_OUTCOMES)
        self._totals: Counter[str] = Counter()
        self._edges: dict[str, int] = {}
        self._begin_decisions()
        self._begin_amending()

    async def aclose(self) -> None:
        """Nothing to give back."""

    # ---- leases

    async def settle(self, requests: Sequence[Request], deadline: float) -> list[Settled]:
        now_ms = self._now()
        return [
            self._rates.spend(request, now_ms)
            if isinstance(request, Spend)
            else self._book.settle(request, now_ms)
            for request in requests
        ]

    async def add_points(self, subject: str, more: float, half_life_ms: int) -> float:
        now_ms = self._now()
        held = self._points.get(subject, Points(0.0, now_ms))
        self._points.pop(subject, None)
        self._points[subject] = held.added(more, now_ms, half_life_ms)
        return self._points[subject].points

    async def points_of(self, subject: str) -> Points | None:
        self._now()
        return self._points.get(subject)

    async def penalties(self, offset: int, limit: int) -> PenaltyPage:
        self._now()
        latest = [Punished(*each) for each in reversed(self._points.items())]
        return PenaltyPage(len(latest), tuple(latest[offset : offset + limit]))

    async def forgive(self, subject: str, by: Authorship) -> bool:
        self._now()
        points = self._points.pop(subject, None)
        if points is not None:
            before = json.dumps({"points": points.points, "at_ms": points.at_ms})
            self._write_down(Area.PENALTY, subject, by, before, "")
        return points is not None

    async def sessions(self, source: str, offset: int, limit: int) -> LeasePage:
        counted_as = counted_source(source) if source else ""
        leases = [
            lease
            for lease in self._book.leases(self._now())
            if not counted_as or lease.counted_as == counted_as
        ]
        leases.sort(
            key=lambda each: (each.session.opened_at_ms, each.session.session.session_id),
            reverse=True,
        )
        return LeasePage(len(leases), tuple(leases[offset : offset + limit]))

    # ---- the farm

    async def picture(self) -> Picture:
        self._now()
        return Picture(
            self._revision,
            self._rulebook,
            tuple(self._locks.values()),
            tuple(self._exemptions.values()),
            tuple(self._identities.values()),
            tuple(self._tokens.values()),
            tuple(self._overrides.values()),
        )

    async def changes_after(self, revision: int) -> ChangeBatch:
        self._now()
        if revision == self._revision:
            try:
                async with asyncio.timeout(FEED_WAIT_S), self._changed:
                    await self._changed.wait_for(
                        lambda: bool(self.away or self._revision > revision)
                    )
            except TimeoutError:
                return ChangeBatch(revision)
        self._now()
        found = [(number, change) for number, change in self._changes if number > revision]
        if not found or found[0][0] != revision + 1:
            raise FeedGap(f"revision {revision} is not followed by what is kept")
        return ChangeBatch(found[-1][0], tuple(change for _, change in found))

    async def put_lock(self, lock: Lock) -> int:
        self._now()
        self._locks[lock.subject] = lock
        return await self._change(lock)

    async def lengthen_locks(self, locks: Sequence[Lock]) -> list[LockWritten]:
        return [await self._lengthen(lock) for lock in locks]

    async def remove_lock(self, subject: str) -> int:
        self._now()
        gone = self._locks.pop(subject, None)
        return await self._change(LockRemoved(subject)) if gone else 0

    async def put_exemption(self, exemption: Exemption) -> int:
        self._now()
        self._exemptions[exemption.subject] = exemption
        return await self._change(exemption)

    async def remove_exemption(self, subject: str) -> int:
        self._now()
        gone = self._exemptions.pop(subject, None)
        return await self._change(ExemptionRemoved(subject)) if gone else 0

    async def put_identities(self, entries: Sequence[NetworkIdentity]) -> int:
        self._now()
        named = {entry.network: entry for entry in entries}
        if len(self._identities.keys() | named.keys()) > self.most_identities:
            return 0
        self._identities |= named
        return await self._change(IdentitiesPut(tuple(entries)))

    async def remove_identities(self, ends: Sequence[IdentityEnd]) -> IdentitiesGone:
        self._now()
        gone = []
        for end in ends:
            present = self._identities.get(end.network)
            if present is not None and end.identity in ("", present.identity):
                del self._identities[end.network]
                gone.append(end.network)
        if not gone:
            return IdentitiesGone()
        revision = await self._change(IdentitiesRemoved(tuple(gone)))
        return IdentitiesGone(revision, tuple(gone))

    async def put_rulebook(self, rulebook: StoredRulebook, replaces: int) -> int:
        self._now()
        if replaces != (self._rulebook.version if self._rulebook else 0):
            return 0
        self._rulebook = rulebook
        return await self._change(rulebook)

    async def forget_expired(self) -> None:
        now_ms = self._now()
        self._locks = {
            subject: lock for subject, lock in self._locks.items() if lock.holds_at(now_ms)
        }
        self._identities = {
            network: entry for network, entry in self._identities.items() if entry.holds_at(now_ms)
        }

        self._overrides = {
            subject: each for subject, each in self._overrides.items() if each.holds_at(now_ms)
        }

    # ---- the journal

    async def record(self, entries: Sequence[OutcomeEntry], totals: Mapping[str, int]) -> None:
        self._now()
        self._outcomes.extend(entries)
        self._totals.update(totals)

    async def outcomes(self, limit: int) -> tuple[OutcomeEntry, ...]:
        self._now()
        return tuple(self._outcomes)[::-1][:limit]

    async def edges_seen(self, last_contact_ms: Mapping[str, int]) -> None:
        self._now()
        for edge, at_ms in last_contact_ms.items():
            self._edges[edge] = max(at_ms, self._edges.get(edge, 0))
        oldest = max(last_contact_ms.values(), default=0) - EDGE_MEMORY_MS
        self._edges = {edge: at_ms for edge, at_ms in self._edges.items() if at_ms >= oldest}

    async def summary(self) -> Summary:
        return Summary(self._book.live(self._now()), dict(self._totals), dict(self._edges))

    def _table(self, area: Area) -> MutableMapping[str, Any]:
        tables: dict[Area, MutableMapping[str, Any]] = {
            Area.LOCK: self._locks,
            Area.EXEMPTION: self._exemptions,
            Area.TOKEN: self._tokens,
            Area.OVERRIDE: self._overrides,
        }
        return tables[area]

    def _now(self) -> int:
        if self.away:
            raise Unavailable("store", FailureKind.UNREACHABLE, retryable=True, detail=self.away)
        return self._clock.unix_ms()

    async def _lengthen(self, lock: Lock) -> LockWritten:
        self._now()
        present = self._locks.get(lock.subject)
        if present is not None and outlasts(present, lock):
            return LockWritten(present, 0)
        return LockWritten(lock, await self.put_lock(lock))

    async def _change(self, change: Change) -> int:
        self._revision += 1
        self._changes.append((self._revision, change))
        async with self._changed:
            self._changed.notify_all()
        return self._revision
