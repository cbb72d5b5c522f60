"""What is known about an engine before and beside its findings."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from smtpgated_contracts.values.scan import EngineClass


class Oversize(StrEnum):
    """What content beyond an engine's limit means for its classes."""

    MISSING = "missing"
    """Nobody judged it: the class is missing, the edge's stance decides."""
    SKIP = "skip"
    """It passes this engine unjudged, as if the engine were not there."""


class LooksAt(Enum):
    """What an engine's statement depends on, and so what it may be remembered by."""

    ESSENCE = "essence"
    """Content without what differs from copy to copy (``core/essence``)."""
    CONTENT = "content"
    """Content as it is."""
    SESSION = "session"
    """Content, whose it is, and what went before: never remembered."""


@dataclass(frozen=True, slots=True)
class EngineProfile:
    """An engine as configured. ``deadline_s``: seconds it gets for one scan at most.

    ``variant``: those of its settings, in words, that change what it states.
    """

    name: str
    judges: frozenset[EngineClass]
    max_octets: int
    deadline_s: float
    oversize: Oversize = Oversize.MISSING
    required_at_start: bool = False
    looks_at: LooksAt = LooksAt.SESSION
    variant: str = ""


@dataclass(frozen=True, slots=True)
class EngineVersion:
    """What an engine says it is, and how old its knowledge is.

    ``signatures`` is the number of the signature database, ``signatures_at`` when it was
    made, in seconds since 1970 UTC; None when the engine does not tell. ``away``: how many of
    its daemons did not answer. ``edition`` stands for what has no number: the rules, or the
    operator's own signatures, in a few digits; empty when there are none or they are not known.
    ``refused``: why newer ones, which are there, are not in force.
    """

    text: str
    signatures: int | None = None
    signatures_at: float | None = None
    away: int = 0
    edition: str = ""
    refused: str = ""

    @property
    def known(self) -> str:
        """``ClamAV 1.4.3/27800``, ``YARA-X 1.23.0, 2 rules, 1f3a90cc``: what it judges with."""
        numbered = self.text if self.signatures is None else f"{self.text}/{self.signatures}"
        return f"{numbered}, {self.edition}" if self.edition else numbered
