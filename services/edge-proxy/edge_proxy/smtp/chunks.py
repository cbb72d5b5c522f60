"""The argument of BDAT (RFC 3030 §2)."""

import re
from typing import Final, NamedTuple

from edge_proxy.smtp.errors import Violation, ViolationKind

_ARGUMENT: Final = re.compile(rb"([0-9]{1,18})(?:[ \t]+(LAST))?", re.IGNORECASE)


class Chunk(NamedTuple):
    """``size`` octets follow the command's line at once, with no end mark of their own."""

    size: int
    last: bool


def parse_chunk(argument: bytes) -> Chunk:
    """Raises Violation: without a size nobody can tell where the next command starts."""
    match = _ARGUMENT.fullmatch(argument)
    if match is None:
        raise Violation(ViolationKind.MALFORMED_CHUNK)
    return Chunk(int(match[1]), match[2] is not None)
