"""A rule: when it is asked, what must hold, and what it does."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from rulebook.facts import Facts, Phase


class Action(StrEnum):
    """What a rule does. ADMIT, REFUSE, DEFER and REQUIRE_AUTH end the phase; the others add up.

    REQUIRE_AUTH says nothing to who has authenticated. RELAY_UNREAD: once AUTH has succeeded the
    session is relayed like a tunnel. LIMIT_PROFILE: rates of ``Rule.profile`` apply from now on.
    """

    ADMIT = "admit"
    REFUSE = "refuse"
    DEFER = "defer"
    REQUIRE_AUTH = "require-auth"
    SKIP_VIRUS = "skip-virus-scan"
    SKIP_SPAM = "skip-spam-scan"
    TUNNEL_TLS = "tunnel-starttls"
    MASK_TLS = "mask-starttls"
    REFUSE_TLS = "refuse-starttls"
    RELAY_UNREAD = "relay-unread"
    LIMIT_PROFILE = "limit-profile"
    NOTE = "note"


class Mode(StrEnum):
    """SHADOW: counted and reported, and never bites."""

    ENFORCE = "enforce"
    SHADOW = "shadow"


class On(StrEnum):
    """Who bears a lock or points. SOURCE: the identity where it is known, else the address.

    PREFIX is the /24 of an IPv4 address, the /64 of an IPv6 address. What a session does not
    have, as an identity, bears nothing.
    """

    SOURCE = "source"
    ADDRESS = "address"
    PREFIX = "prefix"
    IDENTITY = "identity"
    AUTH_USER = "auth-user"


class Offence(StrEnum):
    """What is answered without any rule, and may cost something all the same.

    Speaking before the greeting, and more sessions at a time than the limit of that name allows.
    """

    EARLY_TALKER = "early_talker"
    SESSIONS_PER_SOURCE = "concurrent_sessions_per_source"
    SESSIONS_PER_IDENTITY = "concurrent_sessions_per_identity"


@dataclass(frozen=True, slots=True)
class Sanction:
    """What is to be done to a subject; ``cause`` is the id of the rule or rate, or the offence.

    ``lock_s`` seconds locked, 0: not; ``points`` of penalty, 0: none.
    """

    cause: str
    on: On = On.SOURCE
    lock_s: int = 0
    points: float = 0.0


class Condition(Protocol):
    """One test of the facts; see ``conditions``."""

    @property
    def key(self) -> str:
        """As a document spells it."""
        ...

    def __call__(self, facts: Facts) -> bool:
        """Raises PatternCutError where matching was given up."""
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """All ``conditions`` must hold. ``lock_s`` and ``points`` are borne as ``on`` says."""

    id: str
    phase: Phase
    action: Action
    conditions: tuple[Condition, ...] = ()
    mode: Mode = Mode.ENFORCE
    reply: str = ""
    lock_s: int = 0
    points: float = 0.0
    on: On = On.SOURCE
    profile: str = ""
