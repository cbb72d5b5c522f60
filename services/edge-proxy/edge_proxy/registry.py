"""The sessions under way, found by what can be locked."""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from edge_proxy.clients.farm_state import subjects_of
from smtpgated_contracts.values.mail import SessionRef

Session = TypeVar("Session")


class Registry(Generic[Session]):
    __slots__ = ("_by_subject", "_sessions")

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._by_subject: dict[str, dict[str, Session]] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._sessions.values()))

    def add(self, ref: SessionRef, session: Session) -> None:
        self._sessions[ref.session_id] = session
        for subject in subjects_of(ref):
            self._by_subject.setdefault(subject, {})[ref.session_id] = session

    def remove(self, ref: SessionRef) -> None:
        self._sessions.pop(ref.session_id, None)
        for subject in subjects_of(ref):
            sessions = self._by_subject.get(subject, {})
            sessions.pop(ref.session_id, None)
            if not sessions:
                self._by_subject.pop(subject, None)

    def of(self, subjects: Iterable[str]) -> list[Session]:
        """Every session one of these subjects belongs to, once."""
        found: dict[str, Session] = {}
        for subject in subjects:
            found.update(self._by_subject.get(subject, {}))
        return list(found.values())

    def count(self, subject: str) -> int:
        return len(self._by_subject.get(subject, ()))
