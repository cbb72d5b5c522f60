"""The farm as one replica knows it: rulebook, locks, exemptions, identities, overrides,
tokens, and their revision.

``load`` takes a whole picture, ``apply`` the changes after it; both answer with an
``Announcement``: what the edges must now be told. Changes are absolute (put, removed), so
applying one twice, or one that the picture already held, does no harm.

A rulebook that this version cannot read is not taken: the last readable one stays in force,
and the announcement says why.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from policy.core.exemptions import Exemption, Exemptions
from policy.core.identities import IdentityTable, NetworkIdentity
from policy.core.locks import LockTable
from policy.core.overrides import Override, Overrides
from policy.core.tokens import Token, TokenTable
from rulebook.document import parse
from rulebook.errors import RulebookError
from rulebook.values import Rulebook
from smtpgated_contracts.values.policy import Lock


@dataclass(frozen=True, slots=True)
class StoredRulebook:
    """A document and the version under which the store keeps it, from 1."""

    version: int
    document: str


@dataclass(frozen=True, slots=True)
class LockRemoved:
    subject: str


@dataclass(frozen=True, slots=True)
class ExemptionRemoved:
    subject: str


@dataclass(frozen=True, slots=True)
class OverrideRemoved:
    subject: str


@dataclass(frozen=True, slots=True)
class TokenRemoved:
    token_id: str


@dataclass(frozen=True, slots=True)
class IdentitiesPut:
    entries: tuple[NetworkIdentity, ...]


@dataclass(frozen=True, slots=True)
class IdentitiesRemoved:
    networks: tuple[str, ...]


_OfPolicy = IdentitiesPut | IdentitiesRemoved | Override | OverrideRemoved | Token | TokenRemoved
Change = Lock | LockRemoved | Exemption | ExemptionRemoved | _OfPolicy | StoredRulebook


_COPIED: Final = (Token, TokenRemoved, Override, OverrideRemoved)


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything shared but the leases. ``revision`` counts changes; 0: nothing was ever stored."""

    revision: int = 0
    rulebook: StoredRulebook | None = None
    locks: tuple[Lock, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    identities: tuple[NetworkIdentity, ...] = ()
    tokens: tuple[Token, ...] = ()
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Announcement:
    """What changed for the edges. ``locks_anew``: take all locks and exemptions from the farm."""

    rulebook: StoredRulebook | None = None
    locks_anew: bool = False
    put: tuple[Lock, ...] = ()
    removed: tuple[str, ...] = ()
    exempted: tuple[str, ...] = ()
    unexempted: tuple[str, ...] = ()
    unreadable: str = ""
    policy_alone: bool = False
    """What edges are not told, and the copy on disk has: tokens, overrides."""

    @property
    def changes_locks(self) -> bool:
        return bool(self.put or self.removed or self.exempted or self.unexempted)

    @property
    def is_silent(self) -> bool:
        return not (self.rulebook or self.locks_anew or self.changes_locks)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """``rulebook`` None: it is ``unreadable``, and why."""

    stored: StoredRulebook
    rulebook: Rulebook | None
    unreadable: str = ""


@dataclass(slots=True)
class Farm:
    """``stored`` and ``rulebook`` belong together; ``stored`` is None until one was loaded."""

    revision: int = 0
    stored: StoredRulebook | None = None
    rulebook: Rulebook = field(default_factory=Rulebook)
    locks: LockTable = field(default_factory=LockTable)
    exemptions: Exemptions = field(default_factory=Exemptions)
    identities: IdentityTable = field(default_factory=IdentityTable)
    tokens: TokenTable = field(default_factory=TokenTable)
    overrides: Overrides = field(default_factory=Overrides)

    _prepared: _Prepared | None = None

    def prepare(self, stored: StoredRulebook) -> None:
        """Reads a rulebook that ``load`` or ``apply`` is about to take: of a large one that is
        seconds, to be spent in a thread."""
        if stored != self.stored:
            self._prepared = _read(stored)

    def load(self, picture: Picture, now_ms: int) -> Announcement:
        """Take ``picture`` for the truth."""
        told = self._told(now_ms)
        before = self.stored
        unreadable = self._take(picture.rulebook) if picture.rulebook else ""
        self.exemptions.replace_all(picture.exemptions)
        self.identities.become(picture.identities)
        kept = [*self.tokens], [*self.overrides]
        self.tokens = TokenTable(picture.tokens)
        self.overrides.replace_all(picture.overrides)
        self.locks = LockTable()
        for lock in picture.locks:
            self.locks.put(lock)
        self.revision = picture.revision
        return Announcement(
            rulebook=self.stored if self.stored != before else None,
            locks_anew=self._told(now_ms) != told,
            unreadable=unreadable,
            policy_alone=([*self.tokens], [*self.overrides]) != kept,
        )

    def apply(self, changes: Sequence[Change], revision: int) -> Announcement:
        """``revision`` is that of the last change."""
        before = self.stored
        locks: dict[str, Lock | None] = {}
        exempt: dict[str, bool] = {}
        unreadable = ""
        for change in changes:
            match change:
                case Lock():
                    self.locks.put(change)
                    locks[change.subject] = change
                case LockRemoved(subject):
                    self.locks.remove(subject)
                    locks[subject] = None
                case Exemption():
                    self.exemptions.put(change)
                    exempt[change.subject] = True
                case ExemptionRemoved(subject):
                    self.exemptions.remove(subject)
                    exempt[subject] = False
                case StoredRulebook():
                    unreadable = self._take(change)
                case _:
                    self._follow_alone(change)
        self.revision = revision
        return Announcement(
            rulebook=self.stored if self.stored != before else None,
            put=tuple(lock for lock in locks.values() if lock),
            removed=tuple(subject for subject, lock in locks.items() if not lock),
            exempted=tuple(subject for subject, is_exempt in exempt.items() if is_exempt),
            unexempted=tuple(subject for subject, is_exempt in exempt.items() if not is_exempt),
            unreadable=unreadable,
            policy_alone=any(isinstance(change, _COPIED) for change in changes),
        )

    def locks_in_force(self, now_ms: int) -> Iterator[Lock]:
        """What edges are told, newest first; they know the exemptions that win over them."""
        return (lock for lock in self.locks if lock.holds_at(now_ms))

    def picture(self, now_ms: int) -> Picture:
        """What is kept on disk, and restored when the store comes back empty.

        All but the identities: they are many and change all the time, so they are kept apart.
        """
        return Picture(
            self.revision,
            self.stored,
            tuple(self.locks_in_force(now_ms))[::-1],
            tuple(self.exemptions)[::-1],
            tokens=tuple(self.tokens)[::-1],
            overrides=tuple(each for each in self.overrides if each.holds_at(now_ms))[::-1],
        )

    def forget_expired(self, now_ms: int) -> None:
        """What no longer holds. Edges know the expiry of locks: nothing to announce."""
        self.locks.expire(now_ms)
        self.identities.expire(now_ms)
        self.overrides.expire(now_ms)

    def _follow_alone(self, change: _OfPolicy) -> None:
        """No edge is told: policy says who a source is and what is left to it."""
        match change:
            case IdentitiesPut(entries):
                for entry in entries:
                    self.identities.put(entry)
            case IdentitiesRemoved(networks):
                for network in networks:
                    self.identities.remove(network)
            case Override():
                self.overrides.put(change)
            case OverrideRemoved(subject):
                self.overrides.remove(subject)
            case Token():
                self.tokens.put(change)
            case TokenRemoved(token_id):
                self.tokens.remove(token_id)

    def _told(self, now_ms: int) -> tuple[dict[str, Lock], set[str]]:
        locks = {lock.subject: lock for lock in self.locks_in_force(now_ms)}
        return locks, {exemption.subject for exemption in self.exemptions}

    def _take(self, stored: StoredRulebook) -> str:
        if stored == self.stored:
            return ""
        prepared, self._prepared = self._prepared, None
        if prepared is None or prepared.stored != stored:
            prepared = _read(stored)
        if prepared.rulebook is None:
            return prepared.unreadable
        self.stored = stored
        self.rulebook = prepared.rulebook
        self.exemptions.networks = prepared.rulebook.exempt
        return ""


def _read(stored: StoredRulebook) -> _Prepared:
    try:
        return _Prepared(stored, parse(stored.document))
    except RulebookError as error:
        return _Prepared(stored, None, f"version {stored.version}: {error}")
