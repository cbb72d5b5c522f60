"""What policy knows and decides: decisions, locks, outcomes, the state of a session.

Times are Unix milliseconds as ``int``; 0 means "not said" or, for an expiry, "never".
"""

from dataclasses import dataclass
from enum import StrEnum

from smtpgated_contracts.values.mail import Envelope, SessionRef
from smtpgated_contracts.values.scan import Verdict


class DecisionKind(StrEnum):
    """Policy's and the rules' word, before content."""

    ADMIT = "admit"
    DEFER = "defer"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Decision:
    """``cause`` names the limit, lock or rule that decided; empty for a plain ADMIT.

    ``identity`` is who policy knows the source to be; empty where the edge said so, or nobody can.
    """

    kind: DecisionKind
    cause: str = ""
    identity: str = ""


ADMITTED = Decision(DecisionKind.ADMIT)


@dataclass(frozen=True, slots=True)
class Lock:
    """A subject that is refused for a time. ``expires_at_ms`` 0: until it is removed."""

    subject: str
    cause: str
    expires_at_ms: int = 0
    created_at_ms: int = 0
    author: str = ""
    reason: str = ""

    def holds_at(self, now_ms: int) -> bool:
        """Whether the lock is still in force at ``now_ms``."""
        return self.expires_at_ms == 0 or now_ms < self.expires_at_ms


def address_subject(address: str) -> str:
    """The subject of one source address: ``address:192.0.2.1``."""
    return f"address:{address}"


def identity_subject(identity: str) -> str:
    """The subject of an identity: ``identity:subscriber-17``."""
    return f"identity:{identity}"


class Disposition(StrEnum):
    """What the edge did with a message."""

    RELEASE = "release"
    REFUSE = "refuse"
    DEFER = "defer"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class TransactionOutcome:
    """What became of one message, as reported and logged.

    ``reply_code`` is what the client was told at the end, 0 when nobody was left to tell.
    ``verdict`` is None when it never came to a scan.
    """

    session: SessionRef
    transaction: int
    envelope: Envelope
    verdict: Verdict | None
    disposition: Disposition
    reply_code: int = 0
    content_octets: int = 0
    rule_id: str = ""
    rulebook_version: int = 0
    ended_at_ms: int = 0
    locks: tuple[Lock, ...] = ()


@dataclass(frozen=True, slots=True)
class AskedLock:
    """A lock that a rule outside of content asks for, and the session it was asked in."""

    session: SessionRef
    lock: Lock


@dataclass(frozen=True, slots=True)
class SessionProgress:
    """A session as its edge describes it when it renews the session's lease.

    ``octets_up`` came from the client, ``octets_down`` from the server. ``estimated_messages`` are
    those that a TLS tunnel seems to have carried; ``transactions`` does not count them.
    """

    session: SessionRef
    phase: str = ""
    transactions: int = 0
    opened_at_ms: int = 0
    octets_up: int = 0
    octets_down: int = 0
    estimated_messages: int = 0
