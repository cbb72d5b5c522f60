"""Locks: which of two for one subject wins, and the table a replica keeps of them.

A lock asked for by an outcome only ever lengthens the one that is there; an operator's lock
takes its place. Times are Unix milliseconds; an expiry of 0 is "until it is removed".
"""

from collections.abc import Iterator
from dataclasses import replace

from policy.core.expiries import Expiries
from policy.core.subject_index import SubjectIndex
from smtpgated_contracts.values.policy import Lock


def outlasts(present: Lock, wanted: Lock) -> bool:
    """Whether ``present`` already holds at least as long as ``wanted`` would."""
    if present.expires_at_ms == 0:
        return True
    return 0 < wanted.expires_at_ms <= present.expires_at_ms


def dated(lock: Lock, now_ms: int) -> Lock:
    """``lock`` as beginning now, for the duration its maker meant.

    An edge's clock may be wrong: its two times give a duration, ours says where it begins.
    A lock without a beginning, or without an end, keeps its end.
    """
    expires_at_ms = lock.expires_at_ms
    if expires_at_ms and lock.created_at_ms:
        expires_at_ms = now_ms + max(0, expires_at_ms - lock.created_at_ms)
    return replace(lock, created_at_ms=now_ms, expires_at_ms=expires_at_ms)


class LockTable:
    """Locks by subject, in its one spelling. ``on`` finds only what has not expired."""

    __slots__ = ("_expiries", "_index")

    def __init__(self) -> None:
        self._index: SubjectIndex[Lock] = SubjectIndex()
        self._expiries = Expiries()

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[Lock]:
        """Newest first, expired ones included."""
        return iter(self._index)

    def __contains__(self, subject: str) -> bool:
        return subject in self._index

    def get(self, subject: str) -> Lock | None:
        return self._index.get(subject)

    def put(self, lock: Lock) -> None:
        self._index.put(lock.subject, lock)
        if self._expiries.add(lock.subject, lock.expires_at_ms, len(self._index)):
            self._expiries.renew((each.expires_at_ms, each.subject) for each in self._index)

    def remove(self, subject: str) -> Lock | None:
        return self._index.remove(subject)

    def on(self, address: str, identity: str, now_ms: int) -> Iterator[Lock]:
        """Locks in force on a source."""
        return (lock for lock in self._index.touching(address, identity) if lock.holds_at(now_ms))

    def expire(self, now_ms: int) -> int:
        """Forget what no longer holds; how many those were."""
        gone = 0
        for subject in self._expiries.due(now_ms):
            lock = self._index.get(subject)
            if lock is not None and not lock.holds_at(now_ms):
                self.remove(subject)
                gone += 1
        return gone
