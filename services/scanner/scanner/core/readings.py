"""One body as the octets it stands for: base64, quoted-printable, uuencode (RFC 2045 §6).

Mail clients disagree about broken encodings, and who writes a message can break them on
purpose. So nothing is refused here: where a body can be read in two ways, each is a reading
of its own, and a label that appears anywhere in the header is taken at its word.

Errors: BudgetExceeded. Nothing else, whatever the octets are.
"""

import binascii
import re
from collections.abc import Iterator
from typing import Final

from scanner.core.budget import Budget

_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# RFC 2045 §6.8: characters outside of the alphabet must be ignored. They are the usual way
# past a decoder that stops at them.
_NOT_BASE64: Final = bytes(set(range(256)) - set(_BASE64 + b"="))
_PADDING: Final = re.compile(rb"=+")
# Bodies joined from separately encoded pieces have padding in the middle; what is behind this
# many pieces is read as one.
_MOST_PIECES: Final = 1000

_UUENCODED: Final = re.compile(rb"^begin(-base64)?[ \t]+[0-7]{3,5}[ \t][^\n]*\n", re.MULTILINE)
_UU_END: Final = re.compile(rb"^(?:end|====)[ \t]*\r?$", re.MULTILINE)
_UU_LINE: Final = re.compile(rb"[^\r\n]+")


def readings(
    header: bytes, octets: bytes, start: int, end: int, budget: Budget, depth: int
) -> Iterator[bytes]:
    """Every way to decode the body ``octets[start:end]``; none when it stands for itself.

    ``header``: of the same entity, in lower case.
    """
    if b"base64" in header:
        budget.enter(depth)
        yield from base64_readings(octets[start:end], budget)
    if b"quoted-printable" in header:
        budget.enter(depth)
        plain = binascii.a2b_qp(octets[start:end])
        budget.spend_octets(len(plain))
        yield plain
    if octets.find(b"begin", start, end) >= 0:
        yield from uuencoded(octets, start, end, budget, depth)


def base64_readings(body: bytes, budget: Budget) -> Iterator[bytes]:
    """First as clients that go on behind padding, then as those that ignore padding."""
    kept = body.translate(None, _NOT_BASE64).rstrip(b"=")
    budget.spend_octets(_decoded_size(kept))
    if b"=" not in kept:
        yield _from_base64(kept)
        return
    pieces = _PADDING.split(kept, maxsplit=_MOST_PIECES)
    pieces[-1] = pieces[-1].replace(b"=", b"")
    yield b"".join(map(_from_base64, pieces))
    budget.spend_octets(_decoded_size(kept))
    yield _from_base64(kept.replace(b"=", b""))


def _decoded_size(letters: bytes) -> int:
    return len(letters) * 3 // 4


def _from_base64(letters: bytes) -> bytes:
    """Of the alphabet alone; a lone last letter stands for less than an octet."""
    whole = letters if len(letters) % 4 != 1 else letters[:-1]
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def uuencoded(octets: bytes, start: int, end: int, budget: Budget, depth: int) -> Iterator[bytes]:
    """Every block from a ``begin`` line on, up to its ``end`` or that of the body.

    Mail clients have recognised these in plain text since before MIME.
    """
    begin = _UUENCODED.search(octets, start, end)
    while begin is not None:
        budget.enter(depth)
        ending = _UU_END.search(octets, begin.end(), end)
        block_end = ending.start() if ending is not None else end
        if begin[1]:
            yield from base64_readings(octets[begin.end() : block_end], budget)
        else:
            yield _from_uu_lines(octets, begin.end(), block_end, budget)
        begin = _UUENCODED.search(octets, ending.end(), end) if ending is not None else None


def _from_uu_lines(octets: bytes, start: int, end: int, budget: Budget) -> bytes:
    # A line of one letter can stand for 45 octets: the budget is asked at each.
    decoded = bytearray()
    for line in _UU_LINE.finditer(octets, start, end):
        plain = _from_uu_line(line[0])
        budget.spend_octets(len(plain))
        decoded += plain
    return bytes(decoded)


def _from_uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Encoders that pad short, or lines with something behind: what the count says.
        count = (line[0] - 32) & 63
        try:
            return binascii.a2b_uu(line[: 1 + -(-count * 4 // 3)])
        except binascii.Error:
            return b""
