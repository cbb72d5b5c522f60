"""What is packed in zip archives, wherever in some octets they lie (APPNOTE.TXT §4.3).

An archive can be read from its directory at the end or from the header before each member,
and the two can be made to disagree: a member that the directory does not name, two archives
glued together, a program in front. What every reader needs in the end is a member's own
header, so these are looked for, anywhere, and the directory is not read at all. The
method a header names is not believed either: deflate is tried on every member.

Not looked into: encrypted members, and methods other than stored and deflate.
Errors: BudgetExceeded.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from scanner.core.budget import Budget

_SIGNATURE: Final = b"PK\x03\x04"
# Signature, version, flags, method, time, date, checksum, packed size, size, two lengths.
_HEADER: Final = struct.Struct("<4sHHHHHIIIHH")
_STORED: Final = 0
_RAW_DEFLATE: Final = -zlib.MAX_WBITS
_SLICE_OCTETS: Final = 64 * 1024


def members(octets: bytes, budget: Budget, depth: int) -> Iterator[bytes]:
    """Each member's octets; as much of it as could be unpacked when it is damaged."""
    at = octets.find(_SIGNATURE)
    while 0 <= at <= len(octets) - _HEADER.size:
        budget.enter(depth)
        _, _, _, method, _, _, _, packed_size, _, name, extra = _HEADER.unpack_from(octets, at)
        start = at + _HEADER.size + name + extra
        if method == _STORED and 0 < packed_size <= len(octets) - start:
            budget.spend_octets(packed_size)
            yield octets[start : start + packed_size]
        unpacked = _inflated(octets, start, budget)
        if unpacked:
            yield unpacked
        at = octets.find(_SIGNATURE, at + len(_SIGNATURE))


def _inflated(octets: bytes, start: int, budget: Budget) -> bytes:
    """Empty when this is no deflate stream. In slices: an error keeps what came before it."""
    stream = zlib.decompressobj(_RAW_DEFLATE)
    unpacked = bytearray()
    whole = memoryview(octets)
    while start < len(octets) and not stream.eof:
        try:
            piece = stream.decompress(whole[start : start + _SLICE_OCTETS], budget.octets_left + 1)
        except zlib.error:
            break
        budget.spend_octets(len(piece))
        unpacked += piece
        start += _SLICE_OCTETS
    return bytes(unpacked)
