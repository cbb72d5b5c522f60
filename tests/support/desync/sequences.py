"""What may stand round a dot: the rows of the matrix."""

import re
from dataclasses import dataclass, replace
from enum import Enum
from itertools import product
from typing import Final

_BEFORE: Final = {"CRLF": b"\r\n", "LF": b"\n", "CR": b"\r", "none": b""}
_AFTER: Final = {"CRLF": b"\r\n", "LF": b"\n", "CR": b"\r", "CRCRLF": b"\r\r\n", "text": b"x"}

_BARE: Final = re.compile(rb"\0|\r(?=[^\n])")
_AMBIGUOUS: Final = re.compile(rb"\0|\r(?=[^\n])|(?<!\r)\n\.|\r\n\.\n")
TERMINATOR: Final = b"\r\n.\r\n"
_SMUGGLED: Final = (
    b"MAIL FROM:<smuggled@customer.example>\r\n",
    b"RCPT TO:<b@far.example>\r\n",
    b"DATA\r\n",
)

OUTER: Final = b"outer message "
INNER: Final = b"inner message "
"""Each message's body begins so, with the trial's mark behind it."""


class Tempo(Enum):
    """How a sequence is sent. A server without PIPELINING gets all of them step by step."""

    IN_ONE_GO = "in one slice with all that follows"
    STEP_BY_STEP = "each step behind the answer to the one before, if there is one"
    BY_OCTETS = "the octets round the dot one by one"
    IN_A_CHUNK = "as content of BDAT, where no octet ends anything"


@dataclass(frozen=True, slots=True)
class Sequence:
    """``octets`` stand between the last text of a message and the commands for another one;
    ``filler`` is the line they end, or stand in."""

    name: str
    variant: str
    octets: bytes
    filler: bytes = b"text"
    tempo: Tempo = Tempo.IN_ONE_GO

    def steps(self, mark: bytes) -> tuple[bytes, ...]:
        """What follows the 354, up to an end of content that everybody takes for one, cut where
        whoever was deceived would answer."""
        outer = b"Subject: outer\r\n\r\n" + OUTER + mark + b"\r\n" + self.filler + self.octets
        inner = b"Subject: inner\r\n\r\n" + INNER + mark + b"\r\ntext" + TERMINATOR
        return (outer, *_SMUGGLED, inner)

    @property
    def messages(self) -> int:
        """How many messages this is for the edge: none where content is ambiguous.

        Written to be obvious: a CR without its LF, a NUL, a dot behind a bare LF or before one
        make it that. In a chunk all of it is content, and only the first two do.
        """
        octets = b"".join(self.steps(b""))
        if self.tempo is Tempo.IN_A_CHUNK:
            return 0 if _BARE.search(octets) else 1
        count = 0
        while (end := octets.find(TERMINATOR)) >= 0:
            if _AMBIGUOUS.search(octets[: end + 2]):
                return count
            count += 1
            octets = octets[end + len(TERMINATOR) :]
        return count


def _variant(name: str, dot: bytes = b".") -> tuple[Sequence, ...]:
    return tuple(
        Sequence(f"{before} . {after}", name, _BEFORE[before] + dot + _AFTER[after])
        for before, after in product(_BEFORE, _AFTER)
    )


def _behind(length: int) -> tuple[Sequence, ...]:
    name = f"behind a line of {length:,} octets"
    return tuple(replace(each, filler=b"x" * length) for each in _variant(name))


def _at(tempo: Tempo, name: str) -> tuple[Sequence, ...]:
    return tuple(replace(each, tempo=tempo) for each in _variant(name))


SEQUENCES: Final = (
    *_variant("in one slice"),
    *_at(Tempo.STEP_BY_STEP, "step by step"),
    *_at(Tempo.BY_OCTETS, "octet by octet"),
    *_variant("a NUL before the dot", dot=b"\0."),
    *_variant("a NUL behind the dot", dot=b".\0"),
    *_behind(1_200),  # over the 1,000 octets of RFC 5321 §4.5.3.1.6
    *_behind(70_000),  # over what servers read at once
    *_at(Tempo.IN_A_CHUNK, "in a chunk of BDAT"),
)
"""Every variant of every combination, with a whole transaction behind it."""
