"""What a rulebook is made of: phases, actions, stances, limits, rules, and what a ruling says."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from rulebook.networks import NetworkSet
from smtpgated_contracts.values.scan import EngineClass, VerdictKind


class Phase(StrEnum):
    """When a rule is asked. Each phase knows what the phases before it knew."""

    CONNECT = "connect"
    HELO = "helo"
    MAIL = "mail"
    RCPT = "rcpt"
    AUTH = "auth"
    DATA = "data"
    CONTENT = "content"


class Action(StrEnum):
    """What a rule does. ADMIT, REFUSE and DEFER end the phase; the others add up."""

    ADMIT = "admit"
    REFUSE = "refuse"
    DEFER = "defer"
    SKIP_VIRUS = "skip-virus-scan"
    SKIP_SPAM = "skip-spam-scan"
    TUNNEL_TLS = "tunnel-starttls"
    MASK_TLS = "mask-starttls"
    REFUSE_TLS = "refuse-starttls"
    NOTE = "note"


class Mode(StrEnum):
    """SHADOW: the rule is counted and reported and never bites."""

    ENFORCE = "enforce"
    SHADOW = "shadow"


class Stance(StrEnum):
    """What happens when a judge is absent: OPEN releases, CLOSED defers."""

    OPEN = "open"
    CLOSED = "closed"


class Oversize(StrEnum):
    """What becomes of content above the scan limit. HEAD: its first part is scanned and decides."""

    RELEASE = "release"
    REFUSE = "refuse"
    HEAD = "head"


class TlsTreatment(StrEnum):
    """What becomes of STARTTLS: relayed unread, not offered, or refused when asked for."""

    TUNNEL = "tunnel"
    MASK = "mask"
    REFUSE = "refuse"


@dataclass(slots=True)
class Facts:
    """What is known of a session when rules are asked; grows from phase to phase."""

    source: str
    destination: str = ""
    destination_port: int = 0
    identity: str = ""
    helo: bytes = b""
    reverse_path: bytes = b""
    recipient: bytes = b""
    authenticated: bool = False
    verdict: VerdictKind | None = None
    score: float = 0.0
    size_octets: int = 0


class Condition(Protocol):
    """One test of the facts; see ``conditions``."""

    def __call__(self, facts: Facts) -> bool: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """All ``conditions`` must hold. ``lock_s`` > 0 locks the source for so many seconds."""

    id: str
    phase: Phase
    action: Action
    conditions: tuple[Condition, ...] = ()
    mode: Mode = Mode.ENFORCE
    reply: str = ""
    lock_s: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Farm-wide limits; each names its unit; 0: no limit."""

    concurrent_sessions: int = 0
    concurrent_sessions_per_source: int = 0
    concurrent_sessions_per_identity: int = 0


@dataclass(frozen=True, slots=True)
class Scanning:
    """How content is scanned and what happens when it is not.

    ``limit_octets``: content above it meets ``oversize``. ``stances``: per class of engines.
    """

    limit_octets: int = 64 * 1024 * 1024
    oversize: Oversize = Oversize.REFUSE
    stances: dict[EngineClass, Stance] = field(
        default_factory=lambda: {EngineClass.VIRUS: Stance.CLOSED, EngineClass.SPAM: Stance.OPEN}
    )
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything the farm enforces, as one value. ``rules`` keep the order of the document."""

    rules: dict[Phase, tuple[Rule, ...]] = field(default_factory=dict)
    limits: Limits = Limits()
    scanning: Scanning = Scanning()
    exempt: NetworkSet = field(default_factory=NetworkSet)
    starttls: TlsTreatment = TlsTreatment.TUNNEL


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules of one phase say together.

    ``action`` is ADMIT, REFUSE, DEFER or None (nobody decided); ``rule_id`` the rule that
    decided. ``locks`` are (rule id, seconds). ``noted`` are the rules that bit without deciding,
    ``shadows`` those that would have bitten.
    """

    action: Action | None = None
    rule_id: str = ""
    reply: str = ""
    starttls: TlsTreatment | None = None
    skip: frozenset[EngineClass] = frozenset()
    locks: tuple[tuple[str, int], ...] = ()
    noted: tuple[str, ...] = ()
    shadows: tuple[str, ...] = ()
