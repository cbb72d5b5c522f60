"""A change that a person makes to what all replicas follow, and what became of it.

An amendment is written, announced to all replicas and put into the audit in one moment, or
nothing of it is. Whoever names the record he has seen changes that one or none: two people who
edit the same thing do not overwrite each other unseen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import sha1
from typing import Final

from policy.core.audit import Area, Authorship
from policy.core.exemptions import Exemption
from policy.core.overrides import MOST_OVERRIDES, Override
from policy.core.tokens import MOST_TOKENS, Token
from smtpgated_contracts.values.policy import Lock

ANY: Final = ""
"""Whatever is there, or nothing."""
NONE: Final = "-"
"""Nothing must be there."""

MOST_ENTRIES: Final[Mapping[Area, int]] = {
    Area.TOKEN: MOST_TOKENS,
    Area.OVERRIDE: MOST_OVERRIDES,
}
"""Of areas that have an end."""


class Fate(Enum):
    """What became of an amendment. OVERTAKEN: another record is there than was expected."""

    DONE = auto()
    NOTHING_THERE = auto()
    OVERTAKEN = auto()
    FULL = auto()


@dataclass(frozen=True, slots=True)
class Amendment:
    """``entry`` None: what is there is removed. ``expected``: ANY, NONE or a ``version_tag``."""

    area: Area
    subject: str
    entry: Lock | Exemption | Override | Token | None
    by: Authorship
    expected: str = ANY


@dataclass(frozen=True, slots=True)
class Amended:
    """``revision`` 0 unless DONE; ``before`` is the record that was there, JSON."""

    fate: Fate
    revision: int = 0
    before: str = ""


@dataclass(frozen=True, slots=True)
class RulebookVersion:
    """One rulebook that was put in force; ``octets`` is the size of its document."""

    version: int
    by: Authorship
    octets: int


def version_tag(record: str) -> str:
    """Names the text of a record. The scripts of Redis compute the same; it guards nothing."""
    return sha1(record.encode(), usedforsecurity=False).hexdigest()
