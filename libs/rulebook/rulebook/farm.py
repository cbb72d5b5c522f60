"""What holds for the whole farm: limits, scanning, what becomes of STARTTLS."""

from dataclasses import dataclass, field
from enum import StrEnum

from smtpgated_contracts.values.scan import EngineClass


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


@dataclass(frozen=True, slots=True)
class Limits:
    """Farm-wide limits; each names its unit; 0: no limit."""

    concurrent_sessions: int = 0
    concurrent_sessions_per_source: int = 0
    concurrent_sessions_per_identity: int = 0
    concurrent_sessions_per_destination: int = 0


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
