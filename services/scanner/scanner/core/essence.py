"""Content without what differs from copy to copy: who it is sent to, by which way, and when.

A worm sends one message ten thousand times. What tells the copies apart are the values of a
few trace and address fields at the top, and no virus lives there. The *essence* is the content
without those values; their names stay, because clamd knows a message by its first field.

Nothing is added and no body is copied: the essence is views of the content, in order. It is
what the engine is given and it is what is digested, so a statement is only ever found again
for the very octets it was made about.

A value is left out only where everybody agrees what it is. Anything odd in the top header (a
line that is no field, a bare CR or LF, a NUL or another control, a line of blanks, one longer
than RFC 5322 §2.1.1 allows, no end within HEADER_OCTETS, more than MOST_FIELDS) makes the whole
content the essence; so does anything but printable ASCII in such a value: some parsers end lines
at more than CRLF.

Errors: none.
"""

import re
from collections.abc import Iterator
from typing import Final

from scanner.core.content import Content, Piece

HEADER_OCTETS: Final = 64 * 1024
"""Within which the top header must end."""

MOST_FIELDS: Final = 500
"""Of the top header. A message from a chain of mailing lists has some fifty."""

LEFT_OUT: Final = frozenset(
    {
        # RFC 5322 §3.6.7, RFC 5321 §4.4: trace
        b"received",
        b"return-path",
        # §3.6.1, §3.6.3, §3.6.4: when, to whom, which
        b"date",
        b"to",
        b"cc",
        b"bcc",
        b"message-id",
        # RFC 6376: signs the above, so it differs where they do
        b"dkim-signature",
        # what servers note of the envelope
        b"apparently-to",
        b"delivered-to",
        b"envelope-to",
        b"x-envelope-to",
        b"x-original-to",
    }
)

_END: Final = re.compile(rb"\r\n\r\n")
# Each line begins in one way only, so that matching takes linear time whatever comes.
_FIELD: Final = re.compile(
    rb"(?P<name>[!-9;-~]{1,76}):(?P<blank> ?)"
    rb"(?P<value>[\t -~\x80-\xff]{0,920}\r\n(?:[\t ]+[!-~\x80-\xff][\t -~\x80-\xff]{0,920}\r\n)*)"
)
_PLAIN: Final = re.compile(rb"[\t\r\n -~]*")
_CRLF: Final = 2


def essence(content: Content) -> Content:
    """The content itself when nothing is left out."""
    header, rest = _beginning(content)
    end = _END.search(header, 0, HEADER_OCTETS)
    spans = _values(header, end.start() + _CRLF) if end is not None else ()
    return Content.of(*_without(header, spans), *rest) if spans else content


def _beginning(content: Content) -> tuple[Piece, tuple[Piece, ...]]:
    """What the header must end in, as one piece, and the others."""
    first, others = (content.pieces or (b"",))[0], content.pieces[1:]
    if len(first) >= HEADER_OCTETS or not others:
        return first, others
    joined = bytearray()
    pieces = iter(content.pieces)
    for piece in pieces:
        missing = HEADER_OCTETS - len(joined)
        joined += memoryview(piece)[:missing]
        if len(piece) >= missing:
            return memoryview(joined), (memoryview(piece)[missing:], *pieces)
    return memoryview(joined), ()


def _values(header: Piece, end: int) -> tuple[tuple[int, int], ...]:
    """Where the values are that can be left out; none when anything is odd up to ``end``."""
    spans: list[tuple[int, int]] = []
    at = fields = 0
    while at < end:
        field = _FIELD.match(header, at, end)
        fields += 1
        if field is None or fields > MOST_FIELDS:
            return ()
        at = field.end()
        if field["name"].lower() in LEFT_OUT:
            start, stop = field.start("value"), at - _CRLF
            if _PLAIN.fullmatch(header, start, stop) is None:
                return ()
            if start < stop:
                spans.append((start, stop))
    return tuple(spans)


def _without(octets: Piece, spans: tuple[tuple[int, int], ...]) -> Iterator[memoryview]:
    whole = memoryview(octets)
    kept_from = 0
    for start, stop in spans:
        yield whole[kept_from:start]
        kept_from = stop
    yield whole[kept_from:]
