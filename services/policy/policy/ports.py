"""What policy needs of the store that the whole farm shares, in policy's own words.

Every call is bounded in time by the store itself, or by the ``deadline`` it is given (the
event loop's clock, seconds). ``service_kit.failures.Unavailable`` leaves every call when the
store does not answer as it must. Two implementations: ``store.memory`` and ``store.redis``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from policy.core.amending import Amended, Amendment, RulebookVersion
from policy.core.audit import Area, AuditEntry, Authorship
from policy.core.decisions import KeptDecision, Shadowed
from policy.core.exemptions import Exemption
from policy.core.farm import Change, Picture, StoredRulebook
from policy.core.identities import IdentityEnd, NetworkIdentity
from policy.core.journal import OutcomeEntry
from policy.core.leases import Lease
from policy.core.penalties import Points
from policy.core.rates import Request, Settled
from smtpgated_contracts.values.policy import Lock


class FeedGap(Exception):  # noqa: N818 - names what happened, not what is broken
    """Changes were missed: ask for a new picture."""


@dataclass(frozen=True, slots=True)
class ChangeBatch:
    """Changes in the order they were made; ``revision`` is that of the last one."""

    revision: int
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class LockWritten:
    """``lock`` is the one in force now; ``revision`` 0: it was there before, nothing changed."""

    lock: Lock
    revision: int


@dataclass(frozen=True, slots=True)
class IdentitiesGone:
    """Which networks had an entry that was removed; ``revision`` 0: none."""

    revision: int = 0
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeasePage:
    """A part of the running sessions; ``total`` is how many there are in all."""

    total: int
    leases: tuple[Lease, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """Farm-wide figures: sessions now, totals since the store began, last contact per edge (ms)."""

    sessions: int
    totals: Mapping[str, int]
    edges: Mapping[str, int]


class LeaseStore(Protocol):
    async def settle(self, requests: Sequence[Request], deadline: float) -> list[Settled]:
        """One round trip for all of ``requests``; answers in their order."""
        ...

    async def sessions(self, source: str, offset: int, limit: int) -> LeasePage:
        """Newest first. ``source``: only those counted like this address; "": all."""
        ...


@dataclass(frozen=True, slots=True)
class Punished:
    """``points`` as they were when the last were given."""

    subject: str
    points: Points

    @property
    def pair(self) -> tuple[str, Points]:
        return self.subject, self.points


@dataclass(frozen=True, slots=True)
class PenaltyPage:
    """A part of all who have points; ``total`` is about how many they are."""

    total: int
    penalties: tuple[Punished, ...]


class PenaltyStore(Protocol):
    async def add_points(self, subject: str, more: float, half_life_ms: int) -> float:
        """What the subject has then: points halve in ``half_life_ms``."""
        ...

    async def points_of(self, subject: str) -> Points | None:
        """None: it has none."""
        ...

    async def penalties(self, offset: int, limit: int) -> PenaltyPage:
        """Who was given points last comes first."""
        ...

    async def forgive(self, subject: str, by: Authorship) -> bool:
        """Takes its points away, audited; False: there were none."""
        ...


class FarmStore(Protocol):
    async def picture(self) -> Picture:
        """Holds every change up to its revision, and maybe some after it."""
        ...

    async def changes_after(self, revision: int) -> ChangeBatch:
        """Waits about a second for a change; an empty batch: there was none, the store is well.

        Raises FeedGap when changes after ``revision`` are not kept any more.
        """
        ...

    async def put_lock(self, lock: Lock) -> int:
        """Takes the place of the subject's lock. Returns the new revision."""
        ...

    async def lengthen_locks(self, locks: Sequence[Lock]) -> list[LockWritten]:
        """Puts each lock unless the one that is there outlasts it."""
        ...

    async def remove_lock(self, subject: str) -> int:
        """The new revision; 0: there was none."""
        ...

    async def put_exemption(self, exemption: Exemption) -> int: ...

    async def remove_exemption(self, subject: str) -> int:
        """The new revision; 0: there was none."""
        ...

    async def put_identities(self, entries: Sequence[NetworkIdentity]) -> int:
        """Each takes the place of its network's entry. The new revision; 0: the table is full,
        and maybe a part was put. Not one moment for all: long sequences go in steps."""
        ...

    async def remove_identities(self, ends: Sequence[IdentityEnd]) -> IdentitiesGone:
        """Removes each entry that is still the named identity's. In steps, too."""
        ...

    async def put_rulebook(self, rulebook: StoredRulebook, replaces: int) -> int:
        """Stored only if the stored version is ``replaces`` (0: none); the new revision, else 0."""
        ...

    async def forget_expired(self) -> None:
        """Remove locks and identities that no longer hold; nobody needs to be told."""
        ...


class Journal(Protocol):
    async def record(self, entries: Sequence[OutcomeEntry], totals: Mapping[str, int]) -> None:
        """Keeps the newest entries, a bounded number of them, and adds to the totals."""
        ...

    async def outcomes(self, limit: int) -> tuple[OutcomeEntry, ...]:
        """Newest first."""
        ...

    async def edges_seen(self, last_contact_ms: Mapping[str, int]) -> None: ...

    async def summary(self) -> Summary: ...


@dataclass(frozen=True, slots=True)
class PlacedDecision:
    """``place``: where it lies in the journal; pages go on from there."""

    place: str
    decision: KeptDecision


class DecisionJournal(Protocol):
    """For people, never for decisions."""

    async def keep_decisions(
        self, decisions: Sequence[KeptDecision], shadows: Mapping[Shadowed, int], most: int
    ) -> None:
        """Keeps the newest, about ``most`` of them, and adds to the counts of the days."""
        ...

    async def decision(self, decision_id: str) -> KeptDecision | None:
        """None: no such one is kept, or not any more."""
        ...

    async def decisions(self, before: str, limit: int) -> tuple[PlacedDecision, ...]:
        """Newest first; only those before that place, unless it is empty."""
        ...

    async def shadow_totals(self, day: str) -> Mapping[str, int]:
        """Rule -> how often it would have bitten on that day; "": rules beyond the bound."""
        ...

    async def shadow_subjects(self, day: str, rule: str) -> Mapping[str, int]:
        """Subject -> how often ``rule`` would have bitten it; "": subjects beyond the bound."""
        ...


class AmendingStore(Protocol):
    """What people change; each change with its audit entry at once, or not at all."""

    async def amend(self, amendments: Sequence[Amendment]) -> list[Amended]:
        """Each by itself, in their order. Not one moment for all: many go in steps."""
        ...

    async def record_of(self, area: Area, subject: str) -> str:
        """The record that is there, JSON; empty: none. ``version_tag`` of it names it."""
        ...

    async def put_version(self, rulebook: StoredRulebook, replaces: int, by: Authorship) -> int:
        """As ``put_rulebook``; the text of the one that is replaced stays among the versions."""
        ...

    async def versions(self) -> tuple[RulebookVersion, ...]:
        """Newest first, a bounded number; without the one a store began with."""
        ...

    async def document_of(self, version: int) -> str | None:
        """None: never stored by a person, or too long ago."""
        ...

    async def audit(self, before: str, limit: int) -> tuple[AuditEntry, ...]:
        """Newest first; only those before the entry of that id, unless it is empty."""
        ...

    async def tokens_used(self, used_at_ms: Mapping[str, int]) -> None: ...

    async def token_uses(self) -> Mapping[str, int]:
        """Token id -> Unix milliseconds of about its last use."""
        ...


class PolicyStore(
    LeaseStore, PenaltyStore, FarmStore, Journal, DecisionJournal, AmendingStore, Protocol
):
    """All six, and an end."""

    async def aclose(self) -> None: ...
