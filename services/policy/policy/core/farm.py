"""The farm as one replica knows it: rulebook, locks, exemptions, and the revision of them all.

``load`` takes a whole picture, ``apply`` the changes after it; both answer with an
``Announcement``: what the edges must now be told. Changes are absolute (put, removed), so
applying one twice, or one that the picture already held, does no harm.

A rulebook that this version cannot read is not taken: the last readable one stays in force,
and the announcement says why.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from policy.core.exemptions import Exemption, Exemptions
from policy.core.locks import LockTable
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


Change = Lock | LockRemoved | Exemption | ExemptionRemoved | StoredRulebook


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything shared but the leases. ``revision`` counts changes; 0: nothing was ever stored."""

    revision: int = 0
    rulebook: StoredRulebook | None = None
    locks: tuple[Lock, ...] = ()
    exemptions: tuple[Exemption, ...] = ()


@dataclass(frozen=True, slots=True)
class Announcement:
    """What changed for the edges. ``locks_anew``: their whole lock list is another one."""

    rulebook: StoredRulebook | None = None
    locks_anew: bool = False
    put: tuple[Lock, ...] = ()
    removed: tuple[str, ...] = ()
    unreadable: str = ""

    @property
    def is_silent(self) -> bool:
        return not (self.rulebook or self.locks_anew or self.put or self.removed)


@dataclass(slots=True)
class Farm:
    """``stored`` and ``rulebook`` belong together; ``stored`` is None until one was loaded."""

    revision: int = 0
    stored: StoredRulebook | None = None
    rulebook: Rulebook = field(default_factory=Rulebook)
    locks: LockTable = field(default_factory=LockTable)
    exemptions: Exemptions = field(default_factory=Exemptions)
    _lifted: set[str] = field(default_factory=set)

    def load(self, picture: Picture, now_ms: int) -> Announcement:
        """Take ``picture`` for the truth."""
        told = {lock.subject: lock for lock in self.enforced_locks(now_ms)}
        before, exempted, known = self.stored, tuple(self.exemptions), self.locks
        self.exemptions.replace_all(picture.exemptions)
        unreadable = self._take(picture.rulebook) if picture.rulebook else ""
        self.locks = LockTable()
        for lock in picture.locks:
            self.locks.put(lock)
        if self.stored == before and tuple(self.exemptions) == exempted:
            self._lift(lock.subject for lock in self.locks if lock.subject not in known)
        else:
            self._lift_anew()
        self.revision = picture.revision
        return Announcement(
            rulebook=self.stored if self.stored != before else None,
            locks_anew={lock.subject: lock for lock in self.enforced_locks(now_ms)} != told,
            unreadable=unreadable,
        )

    def apply(self, changes: Sequence[Change], revision: int) -> Announcement:
        """``revision`` is that of the last change."""
        before = self.stored
        put: dict[str, Lock] = {}
        removed: dict[str, None] = {}
        anew = False
        unreadable = ""
        for change in changes:
            match change:
                case Lock():
                    self.locks.put(change)
                    put[change.subject] = change
                    removed.pop(change.subject, None)
                case LockRemoved(subject):
                    self.locks.remove(subject)
                    removed[subject] = None
                    put.pop(subject, None)
                case Exemption():
                    self.exemptions.put(change)
                    anew = True
                case ExemptionRemoved(subject):
                    self.exemptions.remove(subject)
                    anew = True
                case StoredRulebook():
                    # The rulebook's own exemptions may lift or restore any lock.
                    anew = True
                    unreadable = self._take(change)
        if anew:
            self._lift_anew()
        else:
            self._lift(put)
        self.revision = revision
        return Announcement(
            rulebook=self.stored if self.stored != before else None,
            locks_anew=anew,
            put=() if anew else tuple(put[each] for each in put if each not in self._lifted),
            removed=() if anew else tuple(removed),
            unreadable=unreadable,
        )

    def enforced_locks(self, now_ms: int) -> Iterator[Lock]:
        """The locks that edges are told and may enforce by themselves, newest first.

        Not those that an exemption lifts. Nor those that one lifts for a part of their prefix:
        an edge does not know the exemption, so such a lock is left to Decide, which does.
        """
        lifted = self._lifted
        return (lock for lock in self.locks if lock.holds_at(now_ms) and lock.subject not in lifted)

    def picture(self, now_ms: int) -> Picture:
        """What is kept on disk, and restored when the store comes back empty."""
        return Picture(
            self.revision,
            self.stored,
            tuple(lock for lock in self.locks if lock.holds_at(now_ms))[::-1],
            tuple(self.exemptions)[::-1],
        )

    def forget_expired(self, now_ms: int) -> None:
        """Locks that no longer hold. Edges know their expiry: nothing to announce."""
        self.locks.expire(now_ms)
        self._lifted = {subject for subject in self._lifted if subject in self.locks}

    def _lift_anew(self) -> None:
        self._lifted.clear()
        self._lift(lock.subject for lock in self.locks)

    def _lift(self, subjects: Iterable[str]) -> None:
        """Find out once which of these locks an exemption touches: it costs some 10 µs each."""
        self._lifted.update(
            subject
            for subject in subjects
            if self.exemptions.cover_subject(subject) or self.exemptions.lie_within(subject)
        )

    def _take(self, stored: StoredRulebook) -> str:
        try:
            rulebook = parse(stored.document)
        except RulebookError as error:
            return f"version {stored.version}: {error}"
        self.stored = stored
        self.rulebook = rulebook
        self.exemptions.networks = rulebook.exempt
        return ""
