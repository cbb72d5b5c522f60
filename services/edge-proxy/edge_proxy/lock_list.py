"""The locks an edge knows, and the exemptions that win over them."""

from collections.abc import Iterable, Iterator

from edge_proxy.subject_set import SubjectSet
from edge_proxy.subjects import IDENTITY
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import Lock


class LockList:
    """Looked into once or twice a session: a few dictionaries, each asked a few times."""

    __slots__ = ("_exempt", "_exempt_identities", "_locked", "_locks")

    def __init__(self, locks: Iterable[Lock] = (), exempt: Iterable[str] = ()) -> None:
        self._locks: dict[str, Lock] = {}
        self._locked = SubjectSet()
        self._exempt = SubjectSet()
        self._exempt_identities: set[str] = set()
        for lock in locks:
            self.put(lock)
        for subject in exempt:
            self.exempt(subject)

    def __len__(self) -> int:
        """How many locks."""
        return len(self._locks)

    def subjects(self) -> Iterator[tuple[str, bool]]:
        """Every subject, and whether it is exempt rather than locked."""
        yield from ((subject, False) for subject in self._locks)
        yield from ((subject, True) for subject in self._exempt)

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

    def exempts(self, session: SessionRef) -> bool:
        """Whether no lock touches this session."""
        return bool(self._exempt.touching(session))

    def may_exempt(self, session: SessionRef) -> bool:
        """Whether it might turn out to be exempt when policy says who the source is."""
        return not session.identity and bool(self._exempt_identities)

    def lock_on(self, session: SessionRef, now_ms: int) -> Lock | None:
        """A lock in force at ``now_ms`` on this session's source or identity."""
        for subject in self._locked.touching(session):
            lock = self._locks[subject]
            if not lock.holds_at(now_ms):
                self.remove(subject)
            elif not self.exempts(session):
                return lock
        return None
