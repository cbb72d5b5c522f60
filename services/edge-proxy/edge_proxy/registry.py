"""The sessions under way, found by what they can be locked and counted by."""

from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

from edge_proxy.subjects import PREFIX, lies_in, subjects_of
from rulebook.bearers import counted_as
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import identity_subject

Session = TypeVar("Session")
_NOWHERE: Final[frozenset[str]] = frozenset()


class Registry(Generic[Session]):
    __slots__ = ("_by_subject", "_sessions")

    def __init__(self) -> None:
        self._sessions: dict[str, tuple[SessionRef, Session, frozenset[str]]] = {}
        self._by_subject: dict[str, dict[str, Session]] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter([session for _, session, _ in self._sessions.values()])

    def add(self, ref: SessionRef, session: Session, auth_user: bytes = b"") -> None:
        counted = counted_as(ref.source.address), _destination(ref)
        keys = frozenset((*subjects_of(ref, auth_user), *counted))
        self._sessions[ref.session_id] = ref, session, keys
        for subject in keys:
            self._by_subject.setdefault(subject, {})[ref.session_id] = session

    def remove(self, ref: SessionRef) -> None:
        _, _, keys = self._sessions.pop(ref.session_id, (ref, None, _NOWHERE))
        for subject in keys:
            sessions = self._by_subject.get(subject, {})
            sessions.pop(ref.session_id, None)
            if not sessions:
                self._by_subject.pop(subject, None)

    def of(self, subjects: Iterable[str]) -> list[Session]:
        """Every session one of these subjects belongs to, once."""
        found: dict[str, Session] = {}
        for subject in subjects:
            found.update(
                self._inside(subject)
                if subject.startswith(PREFIX)
                else self._by_subject.get(subject, {})
            )
        return list(found.values())

    def count(self, ref: SessionRef) -> int:
        """How many sessions are counted together with this one, itself included."""
        return len(self._by_subject.get(counted_as(ref.source.address), ()))

    def count_identity(self, ref: SessionRef) -> int:
        """How many sessions have this one's identity, itself included; 0: it has none."""
        if not ref.identity:
            return 0
        return len(self._by_subject.get(identity_subject(ref.identity), ()))

    def count_destination(self, ref: SessionRef) -> int:
        """How many sessions go to this one's server, itself included."""
        return len(self._by_subject.get(_destination(ref), ()))

    def _inside(self, prefix: str) -> dict[str, Session]:
        """By looking at all: prefixes are locked by hand, not many times a second."""
        return {
            key: session
            for key, (ref, session, _) in self._sessions.items()
            if lies_in(ref.source.address, prefix)
        }


def _destination(ref: SessionRef) -> str:
    """No lock has such a subject."""
    return f"destination:{ref.original_destination.address}"
