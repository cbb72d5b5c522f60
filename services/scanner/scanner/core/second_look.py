"""Whether a message is spelt so that clamd may read another one than a mail client.

clamd looks into mail by a reader of its own, and that reader has blind spots (clamd 1.4): of
multipart/signed and multipart/parallel it reads the text alone, into message/partial, message/news
and message/external-body it does not look, and what it takes for mail at all hangs on the first
lines. So content that has a Content-Type which is not of the plain, well-known kind is looked at
twice: as it is, and part by part as ``mime_parts`` opens it. Most mail has none.

Errors: none.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from scanner.core.content import Content, Piece

FIRST_LINE: Final = b"Received: from the farm\r\n"
"""What is put before content: a file that begins so is mail to clamd, whatever comes next."""

_FIELD: Final = re.compile(
    rb"(?:\A|\n)[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-(?:[Tt][Yy][Pp][Ee]|(?P<encoding>[Tt][Rr][Aa][Nn][Ss]"
    rb"[Ff][Ee][Rr]-[Ee][Nn][Cc][Oo][Dd][Ii][Nn][Gg]))[ \t]*:"
)
_BLANK: Final = rb"[ \t]*(?:\r?\n[ \t]+)?"
_KNOWN_TYPE: Final = re.compile(
    _BLANK + rb"(?:(?:application|audio|font|image|model|text|video)/[a-z0-9!#$&^_.+-]+"
    rb"|multipart/(?:alternative|digest|mixed|related|report)"
    rb"|message/(?:delivery-status|disposition-notification|feedback-report)"
    rb")[ \t]*(?=;|\r?\n|\Z)",
    re.IGNORECASE,
)
_KNOWN_ENCODING: Final = re.compile(
    _BLANK + rb"(?:7bit|8bit|binary|base64|quoted-printable)[ \t]*(?=\r?\n|\Z)", re.IGNORECASE
)
# RFC 2046 §5.2.1: a forwarded message stands there as it is. Encoded, clamd does not open it.
_FORWARDED: Final = re.compile(_BLANK + rb"message/rfc822[ \t]*(?=;|\r?\n|\Z)", re.IGNORECASE)
_ENCODED: Final = re.compile(_BLANK + rb"(?:base64|quoted-printable)", re.IGNORECASE)

_BORDER: Final = 512
"""Octets of each of two pieces in which a field that lies in both is looked for."""
_HEADER: Final = 4096
"""Octets on both sides of a forwarded message's type in which its encoding is looked for."""


def may_hide(content: Content) -> bool:
    """Whether it is to be looked at part by part, too."""
    return any(map(_is_odd, _windows(content)))


def _windows(content: Content) -> Iterator[Piece]:
    yield from content.pieces
    for one, next_one in pairwise(content.pieces):
        yield bytes(one[-_BORDER:]) + bytes(next_one[:_BORDER])


def _is_odd(octets: Piece) -> bool:
    return any(_is_odd_field(octets, field) for field in _FIELD.finditer(octets))


def _is_odd_field(octets: Piece, field: "re.Match[bytes]") -> bool:
    if field["encoding"] is not None:
        return _KNOWN_ENCODING.match(octets, field.end()) is None
    if _FORWARDED.match(octets, field.end()) is not None:
        around = range(max(0, field.start() - _HEADER), field.end() + _HEADER)
        return _is_encoded(octets[around.start : around.stop], field.end() - around.start)
    return _KNOWN_TYPE.match(octets, field.end()) is None


def _is_encoded(around: Piece, at: int) -> bool:
    """Whether the header that ``at`` lies in names an encoding."""
    octets = bytes(around)
    start = max(octets.rfind(b"\n\r\n", 0, at), octets.rfind(b"\n\n", 0, at), 0)
    ends = [end for end in (octets.find(b"\n\r\n", at), octets.find(b"\n\n", at)) if end >= 0]
    header = octets[start : min(ends, default=len(octets)) + 1]
    return any(
        field["encoding"] is not None and _ENCODED.match(header, field.end()) is not None
        for field in _FIELD.finditer(header)
    )
