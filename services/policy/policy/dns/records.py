"""What the domain name system says of a name, as values."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of records that are asked for."""

    A = "A"
    AAAA = "AAAA"
    MX = "MX"
    PTR = "PTR"
    TXT = "TXT"


Value = str | bytes | tuple[int, str]
"""An address (A, AAAA), a name (PTR), the octets of a text (TXT), preference and name (MX).

Names have no final dot.
"""


@dataclass(frozen=True, slots=True)
class Lookup:
    """``name``: as it is spelt in lower case, without a final dot."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Answer:
    """All values of a name; none: it has none of that kind, or does not exist.

    ``keeps_s``: how long this may be believed.
    """

    values: tuple[Value, ...] = ()
    keeps_s: float = 0.0
