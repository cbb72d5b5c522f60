"""Values as JSON text: in Redis, in the change feed, and in the copy on disk.

Readers raise RecordError for what is not such a record; unknown keys are ignored, so that an
older replica reads what a newer one wrote.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from policy.core.exemptions import Exemption
from policy.core.farm import Change, ExemptionRemoved, LockRemoved, StoredRulebook
from policy.core.journal import OutcomeEntry
from policy.core.subjects import SubjectError, check_subject, counted_source
from smtpgated_contracts.values.mail import EdgeId, Endpoint, SessionId, SessionRef
from smtpgated_contracts.values.policy import Lock, SessionProgress

_Value = TypeVar("_Value")


class RecordError(ValueError):
    """A stored text is not the record it should be."""


class Record(Generic[_Value]):
    """How one kind of value is written and read."""

    def __init__(self, kind: type[_Value], check: Callable[[_Value], object] | None = None) -> None:
        self._adapter = TypeAdapter(kind)
        self._check = check

    def to_text(self, value: _Value) -> str:
        return self._adapter.dump_json(value).decode()

    def from_text(self, text: str) -> _Value:
        try:
            value = self._adapter.validate_json(text)
            if self._check:
                self._check(value)
        except (ValidationError, SubjectError) as error:
            raise RecordError(str(error)) from None
        return value


def _has_subject(entry: Lock | Exemption) -> None:
    check_subject(entry.subject)


LOCKS: Final = Record(Lock, _has_subject)
EXEMPTIONS: Final = Record(Exemption, _has_subject)
RULEBOOKS: Final = Record(StoredRulebook)
OUTCOMES: Final = Record(OutcomeEntry)


def change_to(change: Change) -> tuple[str, str]:
    """(kind, text) of one change in the feed."""
    match change:
        case Lock():
            return "lock", LOCKS.to_text(change)
        case LockRemoved(subject):
            return "lock_removed", subject
        case Exemption():
            return "exemption", EXEMPTIONS.to_text(change)
        case ExemptionRemoved(subject):
            return "exemption_removed", subject
        case StoredRulebook():
            return "rulebook", RULEBOOKS.to_text(change)


def change_from(kind: str, text: str) -> Change:
    reader = _READERS.get(kind)
    if reader is None:
        raise RecordError(f"a change of the unknown kind {kind[:40]!r}")
    return reader(text)


def _checked(subject: str) -> str:
    try:
        return check_subject(subject)
    except SubjectError as error:
        raise RecordError(str(error)) from None


_READERS: Final[Mapping[str, Callable[[str], Change]]] = {
    "lock": LOCKS.from_text,
    "lock_removed": lambda subject: LockRemoved(_checked(subject)),
    "exemption": EXEMPTIONS.from_text,
    "exemption_removed": lambda subject: ExemptionRemoved(_checked(subject)),
    "rulebook": RULEBOOKS.from_text,
}


@dataclass(frozen=True, slots=True)
class _Session:
    """A session without its id and beginning: the store keeps those beside it.

    ``counted`` is the source as limits count it; release.lua reads it.
    """

    counted: str
    source: str
    source_port: int
    destination: str
    destination_port: int
    edge_id: str
    identity: str
    phase: str
    transactions: int


_SESSIONS: Final = Record(_Session)


def progress_to_text(progress: SessionProgress) -> str:
    session = progress.session
    source, destination = session.source, session.original_destination
    return _SESSIONS.to_text(
        _Session(
            counted=counted_source(source.address),
            source=source.address,
            source_port=source.port,
            destination=destination.address,
            destination_port=destination.port,
            edge_id=session.edge_id,
            identity=session.identity,
            phase=progress.phase,
            transactions=progress.transactions,
        )
    )


def progress_from(session_id: str, opened_at_ms: int, text: str) -> SessionProgress:
    record = _SESSIONS.from_text(text)
    return SessionProgress(
        SessionRef(
            SessionId(session_id),
            EdgeId(record.edge_id),
            Endpoint(record.source, record.source_port),
            Endpoint(record.destination, record.destination_port),
            record.identity,
        ),
        record.phase,
        record.transactions,
        opened_at_ms,
    )
