"""The locks an edge knows: by subject, and by the lengths of the prefixes among them."""

from collections import Counter
from collections.abc import Iterable, Iterator

from edge_proxy.subjects import length_of, prefix_of, subjects_of
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import Lock


class LockList:
    """Looked into once a session: a dictionary, asked a few times."""

    __slots__ = ("_lengths", "_locks")

    def __init__(self, locks: Iterable[Lock] = ()) -> None:
        self._locks: dict[str, Lock] = {}
        self._lengths: Counter[tuple[int, int]] = Counter()
        for lock in locks:
            self.put(lock)

    def __len__(self) -> int:
        return len(self._locks)

    def __iter__(self) -> Iterator[str]:
        """The subjects."""
        return iter(self._locks)

    def put(self, lock: Lock) -> None:
        length = length_of(lock.subject)
        if length is not None and lock.subject not in self._locks:
            self._lengths[length] += 1
        self._locks[lock.subject] = lock

    def remove(self, subject: str) -> bool:
        """Whether there was such a lock."""
        if self._locks.pop(subject, None) is None:
            return False
        length = length_of(subject)
        if length is not None:
            self._lengths[length] -= 1
            self._lengths += Counter()  # lengths nobody uses any more are forgotten
        return True

    def lock_on(self, session: SessionRef, now_ms: int) -> Lock | None:
        """A lock in force at ``now_ms`` on this session's source or identity."""
        for subject in (*subjects_of(session), *self._prefixes_of(session.source.address)):
            lock = self._locks.get(subject)
            if lock is not None:
                if lock.holds_at(now_ms):
                    return lock
                self.remove(subject)
        return None

    def _prefixes_of(self, address: str) -> list[str]:
        version = 6 if ":" in address else 4
        return [prefix_of(address, bits) for family, bits in self._lengths if family == version]
