"""Values as JSON text: in Redis, in the change feed, and in the copy on disk.

Readers raise RecordError for what is not such a record; unknown keys are ignored, so that an
older replica reads what a newer one wrote.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from policy.core.amending import Amendment
from policy.core.audit import Authorship
from policy.core.decisions import KeptDecision
from policy.core.exemptions import Exemption
from policy.core.farm import (
    Change,
    ExemptionRemoved,
    IdentitiesPut,
    IdentitiesRemoved,
    LockRemoved,
    OverrideRemoved,
    StoredRulebook,
    TokenRemoved,
)
from policy.core.identities import NetworkIdentity, check_entry, normal_network
from policy.core.journal import OutcomeEntry
from policy.core.overrides import Override
from policy.core.subjects import SubjectError, check_subject, counted_source
from policy.core.tokens import Token, check_token
from smtpgated_contracts.values.mail import EdgeId, Endpoint, SessionId, SessionRef
from smtpgated_contracts.values.policy import Lock, SessionProgress

_Value = TypeVar("_Value")


class RecordError(ValueError):
    """A stored text is not the record it should be."""


class Record(Generic[_Value]):
    """How one kind of value is written and read."""

    def __init__(
        self, kind: Any, check: Callable[[_Value], object] | None = None, *, brief: bool = False
    ) -> None:
        """``brief``: what has its default is not written."""
        self._adapter: TypeAdapter[_Value] = TypeAdapter(kind)
        self._check = check
        self._brief = brief

    def to_text(self, value: _Value) -> str:
        return self._adapter.dump_json(value, exclude_defaults=self._brief).decode()

    def from_text(self, text: str) -> _Value:
        try:
            value = self._adapter.validate_json(text)
            if self._check:
                self._check(value)
        except (ValidationError, SubjectError) as error:
            raise RecordError(str(error)) from None
        return value


def _has_subject(entry: Lock | Exemption | Override) -> None:
    check_subject(entry.subject)


def _are_identities(entries: tuple[NetworkIdentity, ...]) -> None:
    for entry in entries:
        check_entry(entry)


def _are_networks(networks: tuple[str, ...]) -> None:
    for network in networks:
        if normal_network(network) != network:
            raise SubjectError(f"{network[:64]!r} is not spelt as {normal_network(network)}")


LOCKS: Final = Record[Lock](Lock, _has_subject)
EXEMPTIONS: Final = Record[Exemption](Exemption, _has_subject)
RULEBOOKS: Final = Record[StoredRulebook](StoredRulebook)
OVERRIDES: Final = Record[Override](Override, _has_subject)
TOKENS: Final = Record[Token](Token, check_token)
AUTHORSHIPS: Final = Record[Authorship](Authorship)
OUTCOMES: Final = Record[OutcomeEntry](OutcomeEntry)
DECISIONS: Final = Record[KeptDecision](KeptDecision, brief=True)
IDENTITIES: Final = Record[NetworkIdentity](NetworkIdentity, check_entry)
IDENTITY_LISTS: Final = Record[tuple[NetworkIdentity, ...]](
    tuple[NetworkIdentity, ...], _are_identities
)
_NETWORK_LISTS: Final = Record[tuple[str, ...]](tuple[str, ...], _are_networks)


def change_to(change: Change) -> tuple[str, str]:
    """(kind, text) of one change in the feed."""
    kind, write = _WRITERS[type(change)]
    return kind, write(change)


def entry_to_text(entry: Lock | Exemption | Override | Token) -> str:
    """The record of what a person put; ``version_tag`` of it is how it is named."""
    return change_to(entry)[1]


def expiry_of(entry: Lock | Exemption | Override | Token | None) -> int:
    """0: never."""
    return getattr(entry, "expires_at_ms", 0)


def amendment_kind(amendment: Amendment) -> str:
    """The kind of change in the feed."""
    return amendment.area if amendment.entry is not None else f"{amendment.area}_removed"


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


_WRITERS: Final[Mapping[type[Change], tuple[str, Callable[[Any], str]]]] = {
    Lock: ("lock", LOCKS.to_text),
    LockRemoved: ("lock_removed", lambda change: change.subject),
    Exemption: ("exemption", EXEMPTIONS.to_text),
    ExemptionRemoved: ("exemption_removed", lambda change: change.subject),
    IdentitiesPut: ("identities", lambda change: IDENTITY_LISTS.to_text(change.entries)),
    IdentitiesRemoved: (
        "identities_removed",
        lambda change: _NETWORK_LISTS.to_text(change.networks),
    ),
    Override: ("override", OVERRIDES.to_text),
    OverrideRemoved: ("override_removed", lambda change: change.subject),
    Token: ("token", TOKENS.to_text),
    TokenRemoved: ("token_removed", lambda change: change.token_id),
    StoredRulebook: ("rulebook", RULEBOOKS.to_text),
}
_READERS: Final[Mapping[str, Callable[[str], Change]]] = {
    "lock": LOCKS.from_text,
    "lock_removed": lambda subject: LockRemoved(_checked(subject)),
    "exemption": EXEMPTIONS.from_text,
    "exemption_removed": lambda subject: ExemptionRemoved(_checked(subject)),
    "identities": lambda text: IdentitiesPut(IDENTITY_LISTS.from_text(text)),
    "identities_removed": lambda text: IdentitiesRemoved(_NETWORK_LISTS.from_text(text)),
    "override": OVERRIDES.from_text,
    "override_removed": lambda subject: OverrideRemoved(_checked(subject)),
    "token": TOKENS.from_text,
    "token_removed": TokenRemoved,
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
    octets_up: int = 0
    octets_down: int = 0
    estimated_messages: int = 0


_SESSIONS: Final = Record[_Session](_Session)


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
            octets_up=progress.octets_up,
            octets_down=progress.octets_down,
            estimated_messages=progress.estimated_messages,
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
        record.octets_up,
        record.octets_down,
        record.estimated_messages,
    )
