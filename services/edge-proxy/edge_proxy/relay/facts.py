"""What leaves the core for logs, reports and counts. Credentials never do (RFC 4954 §9)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from edge_proxy.smtp.verbs import Verb
from rulebook.values import Phase as RulePhase
from rulebook.values import Ruling, Sanction
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import Disposition
from smtpgated_contracts.values.reported import RulingFacts
from smtpgated_contracts.values.scan import Verdict


@dataclass(frozen=True, slots=True)
class RefusedAddress:
    """An address of MAIL or RCPT that was not accepted. ``code`` 0: by a rule of ours."""

    verb: Verb
    address: bytes
    code: int


MOST_REFUSED_KEPT: Final = 16
"""Refused addresses kept for the next line of the log; those beyond are only counted."""


@dataclass(frozen=True, slots=True)
class TransactionEnded:
    """What became of one message. ``reply_code`` 0: nobody was told, or nobody answered.

    ``sanctions`` are what the rules of the content ask for. ``refused`` are the addresses that
    were not accepted since the message before. ``spent``: policy has counted the message.
    """

    transaction: int
    envelope: Envelope
    verdict: Verdict | None
    disposition: Disposition
    reply_code: int
    content_octets: int
    rule_id: str = ""
    sanctions: tuple[Sanction, ...] = ()
    refused: tuple[RefusedAddress, ...] = ()
    spent: bool = False
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RulesSpoke:
    """The rules of a phase had something to say, and what they knew when they said it.

    ``transaction``: the ordinal of the message under way or to come. ``reply_code``: what the
    client is told because of it, 0: nothing.
    """

    phase: RulePhase
    ruling: Ruling
    transaction: int
    reply_code: int
    facts: RulingFacts


@dataclass(frozen=True, slots=True)
class SanctionAsked:
    """A rule outside of content wants the session's subject locked, or given points."""

    sanction: Sanction
    auth_user: bytes = b""


@dataclass(frozen=True, slots=True)
class Denied:
    """Policy, a limit or a lock let this command be answered by us, and not a rule.

    ``cause`` names the limit or lock; ``decision_id`` the decision, where it is stored.
    """

    verb: Verb
    cause: str
    reply_code: int
    decision_id: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The server refused this command for good, and it counts against the session's limits.

    ``envelope`` is that of the session as it is, without recipients.
    """

    verb: Verb
    envelope: Envelope
    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ViolationSeen:
    """A peer broke the protocol."""

    upstream: bool
    what: str


Fact = TransactionEnded | RulesSpoke | SanctionAsked | Denied | Rejected | ViolationSeen


class CloseCause(StrEnum):
    """Why a session ended: the ``by`` of its log line."""

    QUIT = "quit"
    CLIENT = "client"
    SERVER = "server"
    CONNECT = "connect"
    TIMEOUT = "timeout"
    POLICY = "policy"
    LOCK = "lock"
    RULE = "rule"
    VIOLATION = "violation"
    CONTENT = "content"
    INTRODUCTION = "introduction"
    DRAIN = "drain"
    ERROR = "error"
    NOT_TLS = "not-tls"
    TUNNEL_DURATION = "tunnel-duration"
    TUNNEL_OCTETS = "tunnel-octets"


@dataclass(slots=True)
class SessionRecord:
    """What one log line will say about a session; filled as it goes on."""

    closed_by: CloseCause | None = None
    detail: str = ""
    helo: bytes = b""
    helo_refused: bool = False
    reverse_path: bytes = b""  # the last one that was asked for
    refused: list[RefusedAddress] = field(default_factory=list)
    transactions: int = 0
    dispositions: dict[Disposition, int] = field(default_factory=dict)
    recipients: int = 0
    mail_rejected: int = 0
    rcpt_rejected: int = 0
    auth_accepted: int = 0
    auth_rejected: int = 0
    auth_user: bytes = b""
    tunnelled: bool = False
    offered: frozenset[bytes] = frozenset()

    def refuse(self, verb: Verb, address: bytes, code: int) -> None:
        """Keep an address that was not accepted, as far as there is room."""
        if len(self.refused) < MOST_REFUSED_KEPT:
            self.refused.append(RefusedAddress(verb, address, code))

    def take_refused(self) -> tuple[RefusedAddress, ...]:
        """Those that no line of the log has named yet."""
        taken, self.refused = tuple(self.refused), []
        return taken

    def count_disposition(self, disposition: Disposition) -> None:
        """One message more of this kind."""
        self.transactions += 1
        self.dispositions[disposition] = self.dispositions.get(disposition, 0) + 1
