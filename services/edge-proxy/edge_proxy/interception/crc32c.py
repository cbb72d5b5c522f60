"""CRC32c (Castagnoli), as PROXY v2's checksum wants it: RFC 3720 appendix B.4.

A table of 256; a header has some hundred octets, so there is nothing to gain from more.
"""

from typing import Final

_REVERSED_POLYNOMIAL: Final = 0x82F63B78
_ALL_ONES: Final = 0xFFFFFFFF


def _entry(octet: int) -> int:
    for _ in range(8):
        octet = octet >> 1 ^ (_REVERSED_POLYNOMIAL if octet & 1 else 0)
    return octet


_TABLE: Final = tuple(map(_entry, range(256)))


def crc32c(octets: bytes) -> int:
    """A number of 32 bits."""
    rest = _ALL_ONES
    for octet in octets:
        rest = rest >> 8 ^ _TABLE[(rest ^ octet) & 0xFF]
    return rest ^ _ALL_ONES
