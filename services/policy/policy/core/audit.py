"""Who changed what, when, and why: one entry a change, written in the same moment as the change.

``before`` and ``after`` are the records themselves (JSON), empty for "there was none"; of a
rulebook they are its version, because its text is kept among the versions.
"""

from dataclasses import dataclass
from enum import StrEnum


class Area(StrEnum):
    """What people change through the admin API."""

    LOCK = "lock"
    EXEMPTION = "exemption"
    TOKEN = "token"  # noqa: S105 - the name of an area
    RULEBOOK = "rulebook"
    OVERRIDE = "override"
    PENALTY = "penalty"


@dataclass(frozen=True, slots=True)
class Authorship:
    """``author`` is a token's name; ``at_ms`` is Unix milliseconds."""

    author: str
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """``entry_id`` grows with time, within one store."""

    entry_id: str
    area: Area
    subject: str
    by: Authorship
    before: str = ""
    after: str = ""
