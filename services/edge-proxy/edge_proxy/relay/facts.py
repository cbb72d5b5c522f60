"""What leaves the core for logs, reports and counts. Credentials never do (RFC 4954 §9)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from edge_proxy.smtp.verbs import Verb
from rulebook.values import Phase as RulePhase
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import Disposition
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

    ``locks`` are (cause, seconds) the rulebook asks for against the source. ``refused`` are the
    addresses that were not accepted since the message before.
    """

    transaction: int
    envelope: Envelope
    verdict: Verdict | None
    disposition: Disposition
    reply_code: int
    content_octets: int
    rule_id: str = ""
    locks: tuple[tuple[str, int], ...] = ()
    refused: tuple[RefusedAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleFired:
    """A rule bit, or, in shadow, would have."""

    rule_id: str
    phase: RulePhase
    shadow: bool


@dataclass(frozen=True, slots=True)
class LockAsked:
    """A rule outside of content wants the source locked for ``seconds``."""

    rule_id: str
    seconds: int


@dataclass(frozen=True, slots=True)
class ViolationSeen:
    """A peer broke the protocol."""

    upstream: bool
    what: str


Fact = TransactionEnded | RuleFired | LockAsked | ViolationSeen


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
