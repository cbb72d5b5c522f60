"""The locks an edge knows, and the exemptions that win over them."""

from collections.abc import Iterable, Iterator
from typing import Final

from edge_proxy.ports import Hold
from edge_proxy.subject_set import SubjectSet
from edge_proxy.subjects import IDENTITY
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import Lock, Stage


class LockList:
    """Looked into once or twice a session: a few dictionaries, each asked a few times."""

    __slots__ = ("_exempt", "_exempt_identities", "_locked", "_locks")

    def __init__(self, locks: Iterable[Lock] = (), exempt: Iterable[str] = ()) -> None:
        self._locks: dict[str, Lock] = {}
        self._locked = SubjectSet()
        self._exempt = SubjectSet()
        self._exempt_identities: set[str] = set()
        self.extend(locks, exempt)

    def __len__(self) -> int:
        """How many locks."""
        return len(self._locks)

    def extend(self, locks: Iterable[Lock], exempt: Iterable[str] = ()) -> None:
        for lock in locks:
            self.put(lock)
        for subject in exempt:
            self.exempt(subject)

    def differing_from(self, other: "LockList") -> set[str]:
        """Subjects that are held back otherwise, or otherwise exempt, than in ``other``."""
        differing = {subject for subject, _ in set(self.subjects()) ^ set(other.subjects())}
        return differing.union(
            subject
            for subject, lock in self._locks.items()
            if (was := other.get(subject)) is not None
            and (was.stages, was.expires_at_ms) != (lock.stages, lock.expires_at_ms)
        )

    def subjects(self) -> Iterator[tuple[str, bool]]:
        """Every subject, and whether it is exempt rather than locked."""
        yield from ((subject, False) for subject in self._locks)
        yield from ((subject, True) for subject in self._exempt)

    def get(self, subject: str) -> Lock | None:
        return self._locks.get(subject)

    def put(self, lock: Lock) -> None:
        self._locks[lock.subject] = lock
        self._locked.add(lock.subject)

    def remove(self, subject: str) -> bool:
        """Whether there was such a lock."""
        self._locked.discard(subject)
        return self._locks.pop(subject, None) is not None

    def exempt(self, subject: str) -> None:
        self._exempt.add(subject)
        if subject.startswith(IDENTITY):
            self._exempt_identities.add(subject)

    def unexempt(self, subject: str) -> None:
        self._exempt.discard(subject)
        self._exempt_identities.discard(subject)

    def exempts(self, session: SessionRef, auth_user: bytes = b"") -> bool:
        """Whether no lock touches this session."""
        return bool(self._exempt.touching(session, auth_user))

    def may_exempt(self, session: SessionRef) -> bool:
        """Whether it might turn out to be exempt when policy says who the source is."""
        return not session.identity and bool(self._exempt_identities)

    def hold_on(self, session: SessionRef, now_ms: int, auth_user: bytes = b"") -> Hold | None:
        """What the locks on this session's subjects do at ``now_ms``: the strictest of them."""
        strictest: Hold | None = None
        for subject in self._locked.touching(session, auth_user):
            hold = self._hold_by(subject, now_ms)
            if hold is not None and (strictest is None or _is_stricter(hold, strictest)):
                strictest = hold
        return None if strictest is None or self.exempts(session, auth_user) else strictest

    def _hold_by(self, subject: str, now_ms: int) -> Hold | None:
        """A lock that has released itself is forgotten."""
        lock = self._locks[subject]
        stage = lock.stage_at(now_ms)
        if stage is None:
            self.remove(subject)
            return None
        return Hold(lock, stage, _end_of(lock, now_ms))


def _end_of(lock: Lock, now_ms: int) -> int:
    """When the stage of ``now_ms`` ends; 0: never by itself."""
    ends = (lock.expires_at_ms, *(each.until_ms for each in lock.stages))
    return min((end for end in ends if end > now_ms), default=0)


def _is_stricter(one: Hold, other: Hold) -> bool:
    return _STRICTNESS[one.stage] > _STRICTNESS[other.stage]


_STRICTNESS: Final = {stage: degree for degree, stage in enumerate(Stage)}
