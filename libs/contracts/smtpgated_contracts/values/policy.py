"""What policy knows and decides: decisions, locks, outcomes, the state of a session.

Times are Unix milliseconds as ``int``; 0 means "not said" or, for an expiry, "never".
"""

from dataclasses import dataclass
from enum import StrEnum

from smtpgated_contracts.values.mail import Envelope, SessionRef
from smtpgated_contracts.values.scan import Verdict


class SpfResult(StrEnum):
    """Whether a host may send for a domain (RFC 7208 §2.6)."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 - the RFC's word for a result
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class DecisionKind(StrEnum):
    """Policy's and the rules' word, before content."""

    ADMIT = "admit"
    DEFER = "defer"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Decision:
    """``cause`` names the limit, lock or rule that decided; empty for a plain ADMIT.

    ``identity`` is who policy knows the source to be; empty where the edge said so, or nobody can.
    ``reply`` is what the client is told; empty: the edge's own words. ``spf`` and ``listed_in``
    are facts that the rules need. ``recipients_left`` is what the limits leave to the message;
    None: they say nothing. ``shadows`` are limits that would have decided otherwise.
    """

    kind: DecisionKind
    cause: str = ""
    identity: str = ""
    reply: str = ""
    spf: SpfResult | None = None
    listed_in: tuple[str, ...] = ()
    recipients_left: int | None = None
    shadows: tuple[str, ...] = ()
    decision_id: str = ""


ADMITTED = Decision(DecisionKind.ADMIT)


class Stage(StrEnum):
    """What a lock does to its subject, mildest first."""

    WATCH = "watch"
    THROTTLE = "throttle"
    REQUIRE_AUTH = "require-auth"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class StageUntil:
    """``until_ms`` 0: until the lock is removed."""

    stage: Stage
    until_ms: int


@dataclass(frozen=True, slots=True)
class Lock:
    """A subject that is held back for a time. ``expires_at_ms`` 0: until it is removed.

    ``stages`` say how, each until its end, the strictest first, the last one until the lock
    expires; without any it refuses all the time. So a lock releases itself step by step.
    """

    subject: str
    cause: str
    expires_at_ms: int = 0
    created_at_ms: int = 0
    author: str = ""
    reason: str = ""
    stages: tuple[StageUntil, ...] = ()

    def holds_at(self, now_ms: int) -> bool:
        """Whether the lock is still in force at ``now_ms``."""
        return self.expires_at_ms == 0 or now_ms < self.expires_at_ms

    def stage_at(self, now_ms: int) -> Stage | None:
        """What it does at ``now_ms``; None: nothing any more."""
        if not self.holds_at(now_ms):
            return None
        if not self.stages:
            return Stage.REFUSE
        return next(
            (each.stage for each in self.stages if each.until_ms == 0 or now_ms < each.until_ms),
            None,
        )


def address_subject(address: str) -> str:
    """The subject of one source address: ``address:192.0.2.1``."""
    return f"address:{address}"


def identity_subject(identity: str) -> str:
    """The subject of an identity: ``identity:subscriber-17``."""
    return f"identity:{identity}"


@dataclass(frozen=True, slots=True)
class Penalty:
    """Points that a rule wants a subject to be given. ``cause`` names the rule."""

    subject: str
    points: float
    cause: str = ""


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
    ``verdict`` is None when it never came to a scan. ``spent``: policy was asked before DATA and
    admitted it; what that spent is given back when the farm defers the message.
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
    penalties: tuple[Penalty, ...] = ()
    spent: bool = False
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AskedLock:
    """A lock that a rule outside of content asks for, and the session it was asked in."""

    session: SessionRef
    lock: Lock


@dataclass(frozen=True, slots=True)
class AskedPenalty:
    """Points that a rule outside of content asks for, and the session they were asked in."""

    session: SessionRef
    penalty: Penalty


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
