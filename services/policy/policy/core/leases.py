"""Concurrent-session leases: a slot for each session, that ends by itself unless renewed.

``LeaseBook`` is the whole model: the Lua scripts are compared with it, the in-memory store is
made of it, and a replica keeps one for the time when the shared store is away.

A lease holds while ``now_ms < expires_at_ms``. Opening a session that already holds a lease
renews it; renewing one that has none makes it again, whatever the caps: the session is running.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from policy.core.subjects import counted_source
from smtpgated_contracts.values.mail import SessionId
from smtpgated_contracts.values.policy import SessionProgress

LEASE_S: Final = 30
"""How long a lease holds; edges renew every 10 s or so, and may miss two renewals."""


@dataclass(frozen=True, slots=True)
class Caps:
    """Sessions at the same time; 0: no limit."""

    total: int = 0
    per_source: int = 0
    per_identity: int = 0
    per_destination: int = 0


NO_CAPS: Final = Caps()


class Standing(StrEnum):
    """What became of a request for leases."""

    GRANTED = "granted"
    TOTAL_REACHED = "total_reached"
    SOURCE_REACHED = "source_reached"
    DESTINATION_REACHED = "destination_reached"
    IDENTITY_REACHED = "identity_reached"


@dataclass(frozen=True, slots=True)
class Open:
    """A new session asks for its slot."""

    session: SessionProgress
    caps: Caps


@dataclass(frozen=True, slots=True)
class Renew:
    """These sessions go on."""

    sessions: tuple[SessionProgress, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """These sessions are over; unknown ones are no error."""

    session_ids: tuple[SessionId, ...]


LeaseRequest = Open | Renew | Release


@dataclass(frozen=True, slots=True)
class Lease:
    """A session that holds a slot, as its edge last described it."""

    session: SessionProgress
    expires_at_ms: int

    @property
    def counted_as(self) -> str:
        return counted_source(self.session.session.source.address)

    @property
    def identity(self) -> str:
        return self.session.session.identity

    @property
    def destination(self) -> str:
        return self.session.session.original_destination.address


class LeaseBook:
    """All leases of one farm. ``now_ms`` never goes back from call to call."""

    __slots__ = ("_by_destination", "_by_identity", "_by_source", "_leases", "_length_ms")

    def __init__(self, length_ms: int = LEASE_S * 1000) -> None:
        self._length_ms = length_ms
        # In order of expiry: whatever is granted or renewed moves to the end.
        self._leases: dict[SessionId, Lease] = {}
        self._by_source: dict[str, set[SessionId]] = {}
        self._by_destination: dict[str, set[SessionId]] = {}
        self._by_identity: dict[str, set[SessionId]] = {}

    def settle(self, request: LeaseRequest, now_ms: int) -> Standing:
        """Renew and Release are always GRANTED."""
        match request:
            case Open(session, caps):
                return self._open(session, caps, now_ms)
            case Renew(sessions):
                for session in sessions:
                    self._hold(session, now_ms)
            case Release(session_ids):
                for session_id in session_ids:
                    self._give_back(session_id)
        return Standing.GRANTED

    def live(self, now_ms: int) -> int:
        """Sessions that hold a lease."""
        self._expire(now_ms)
        return len(self._leases)

    def live_of(self, counted_as: str, now_ms: int) -> int:
        """Sessions of one counted source that hold a lease."""
        self._expire(now_ms)
        return len(self._by_source.get(counted_as, ()))

    def leases(self, now_ms: int) -> Iterator[Lease]:
        """In order of expiry, the next to expire first."""
        self._expire(now_ms)
        return iter(self._leases.values())

    def _open(self, session: SessionProgress, caps: Caps, now_ms: int) -> Standing:
        self._expire(now_ms)
        if session.session.session_id not in self._leases:
            standing = self._measured(session, caps)
            if standing is not Standing.GRANTED:
                return standing
        self._hold(session, now_ms)
        return Standing.GRANTED

    def _measured(self, session: SessionProgress, caps: Caps) -> Standing:
        counted_as = counted_source(session.session.source.address)
        identity = session.session.identity
        if caps.total and len(self._leases) >= caps.total:
            return Standing.TOTAL_REACHED
        if caps.per_source and len(self._by_source.get(counted_as, ())) >= caps.per_source:
            return Standing.SOURCE_REACHED
        there = self._by_destination.get(session.session.original_destination.address, ())
        if caps.per_destination and len(there) >= caps.per_destination:
            return Standing.DESTINATION_REACHED
        if caps.per_identity and len(self._by_identity.get(identity, ())) >= caps.per_identity:
            return Standing.IDENTITY_REACHED
        return Standing.GRANTED

    def _hold(self, session: SessionProgress, now_ms: int) -> None:
        """A session's beginning is what was said first: the grant, or the edge's word."""
        session_id = session.session.session_id
        self._expire(now_ms)
        held = self._give_back(session_id)
        opened_at_ms = held.session.opened_at_ms if held else session.opened_at_ms or now_ms
        if session.opened_at_ms != opened_at_ms:
            session = replace(session, opened_at_ms=opened_at_ms)
        lease = Lease(session, now_ms + self._length_ms)
        self._leases[session_id] = lease
        for peers, key in self._counts(lease):
            peers.setdefault(key, set()).add(session_id)

    def _give_back(self, session_id: SessionId) -> Lease | None:
        lease = self._leases.pop(session_id, None)
        if lease is not None:
            for peers, key in self._counts(lease):
                peers[key].discard(session_id)
                if not peers[key]:
                    del peers[key]
        return lease

    def _counts(self, lease: Lease) -> list[tuple[dict[str, set[SessionId]], str]]:
        """Where a lease is counted, and as what. Who has no identity counts for none."""
        counts = [
            (self._by_source, lease.counted_as),
            (self._by_destination, lease.destination),
        ]
        return [*counts, (self._by_identity, lease.identity)] if lease.identity else counts

    def _expire(self, now_ms: int) -> None:
        while self._leases:
            session_id, lease = next(iter(self._leases.items()))
            if now_ms < lease.expires_at_ms:
                return
            self._give_back(session_id)
