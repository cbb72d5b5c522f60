"""What the core can ask for. The counterpart to the inputs, the methods of ``session``.

Actions of one input are performed in their order before the next input is delivered.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from edge_proxy.relay.facts import Fact
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.scan import EngineClass

ScanId = NewType("ScanId", int)
"""Ordinal of the scan in its session, from 1: also the ordinal of the transaction."""


class Loss(StrEnum):
    """Why there is no upstream, or none any more; told to the core with ``upstream_lost``."""

    REFUSED = "connection refused"
    TIMEOUT = "connection timed out"
    UNREACHABLE = "unreachable"
    CLOSED = "closed by the server"


@dataclass(slots=True)
class SendDownstream:
    octets: bytes


@dataclass(slots=True)
class SendUpstream:
    octets: bytes


@dataclass(slots=True)
class FeedScan:
    """The next octets of the content of the scan that was begun last."""

    content: bytes


@dataclass(frozen=True, slots=True)
class ConnectUpstream:
    pass


@dataclass(frozen=True, slots=True)
class AskPolicy:
    """May this session be? Answered by ``decided``, always, even when policy is away."""

    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AskMail:
    """May this MAIL be relayed? Answered by ``decided``, always. No recipient is known yet."""

    transaction: int
    envelope: Envelope
    profiles: tuple[str, ...]
    wants_spf: bool
    declared_octets: int


@dataclass(frozen=True, slots=True)
class AskData:
    """May the content follow? Answered by ``decided``, always."""

    transaction: int
    envelope: Envelope
    profiles: tuple[str, ...]
    declared_octets: int


@dataclass(frozen=True, slots=True)
class KnowUser:
    """AUTH has succeeded: locks on this user touch the session from now on."""

    user: bytes


@dataclass(frozen=True, slots=True)
class BeginScan:
    scan: ScanId
    skip: frozenset[EngineClass]
    profile: str


@dataclass(frozen=True, slots=True)
class FinishScan:
    """The content is whole (or its head is). Answered by ``scanned``, always."""

    scan: ScanId
    envelope: Envelope
    head_only: bool


@dataclass(frozen=True, slots=True)
class AbandonScan:
    scan: ScanId


@dataclass(frozen=True, slots=True)
class CloseUpstream:
    """Send what is pending, then close."""


@dataclass(frozen=True, slots=True)
class AbortUpstream:
    """Close now; octets not yet sent are dropped. ``why`` is for the log."""

    why: str


@dataclass(frozen=True, slots=True)
class CloseDownstream:
    """Send what is pending, then close without cutting the last reply off."""


@dataclass(frozen=True, slots=True)
class LookDownstream:
    """Look for octets not yet delivered; answered at once by ``looked``."""


@dataclass(frozen=True, slots=True)
class BecomeTunnel:
    """From now on octets go through unread; the core hears of them no more.

    ``is_tls``: they are to be TLS; else they may be anything. ``profiles``: whose rates apply.
    """

    is_tls: bool = True
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a log line or a count."""

    fact: Fact


Action = (
    SendDownstream
    | SendUpstream
    | FeedScan
    | ConnectUpstream
    | AskPolicy
    | AskMail
    | AskData
    | KnowUser
    | BeginScan
    | FinishScan
    | AbandonScan
    | CloseUpstream
    | AbortUpstream
    | CloseDownstream
    | LookDownstream
    | BecomeTunnel
    | Note
)
