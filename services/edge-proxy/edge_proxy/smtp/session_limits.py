"""The argument of LIMITS in an answer to EHLO (RFC 9422): names with numbers."""

import re
from collections.abc import Mapping
from typing import Final

_LIMIT: Final = re.compile(rb"([A-Z0-9][A-Z0-9-]*)=([0-9]{1,6})", re.IGNORECASE)


def lowered(line: bytes, ours: Mapping[bytes, int]) -> bytes:
    """A LIMITS line with each number the smaller of the server's and ``ours``; ours added.

    What is not understood stays as it is: it is between client and server (§3).
    """
    missing = dict(ours)

    def smaller(match: re.Match[bytes]) -> bytes:
        name, theirs = match[1], int(match[2])
        limit = missing.pop(name.upper(), theirs)
        return match[0] if theirs <= limit else b"%b=%d" % (name, limit)

    words = [_LIMIT.sub(smaller, word) for word in line.split(b" ")]
    return b" ".join((*words, *(b"%b=%d" % each for each in missing.items())))
