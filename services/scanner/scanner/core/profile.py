"""What is known about an engine before and beside its findings."""

from dataclasses import dataclass
from enum import StrEnum

from smtpgated_contracts.values.scan import EngineClass


class Oversize(StrEnum):
    """What content beyond an engine's limit means for its classes."""

    MISSING = "missing"
    """Nobody judged it: the class is missing, the edge's stance decides."""
    SKIP = "skip"
    """It passes this engine unjudged, as if the engine were not there."""


@dataclass(frozen=True, slots=True)
class EngineProfile:
    """An engine as configured. ``deadline_s``: seconds it gets for one scan at most."""

    name: str
    judges: frozenset[EngineClass]
    max_octets: int
    deadline_s: float
    oversize: Oversize = Oversize.MISSING
    required_at_start: bool = False


@dataclass(frozen=True, slots=True)
class EngineVersion:
    """What an engine says it is, and how old its knowledge is.

    ``signatures`` is the number of the signature database, ``signatures_at`` when it was
    made, in seconds since 1970 UTC; None when the engine does not tell. ``away``: how many of
    its daemons did not answer.
    """

    text: str
    signatures: int | None = None
    signatures_at: float | None = None
    away: int = 0
