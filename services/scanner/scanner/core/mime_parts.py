"""Content as every part that somebody could open: decoded, unpacked, nested (RFC 2045 to 2049).

Not a MIME parser: a parser decides for one structure, and another parser decides otherwise.
Here every structure that a client could see is walked: each boundary that any header line
names, the body behind the first line that is no field *and* the one behind the blank line,
each encoding that is mentioned. The raw octets are scanned besides, by the caller. The price
is that some octets are looked at twice; the gain is that a malformed message hides nothing.

Parts are made one at a time. An entity is a span of the octets it lies in, never a copy, so
that nesting costs no memory: what is held is one decoded part of each level.
Errors: BudgetExceeded. Nothing else, whatever the content is.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from scanner.core.budget import Budget
from scanner.core.readings import readings
from scanner.core.zip_members import members

# RFC 5322 §2.2: a field's name, with the blank before the colon that obsolete syntax allows
# (§4.5.8); then the lines that continue it.
_FIELD: Final = re.compile(rb"[!-9;-~]+[ \t]*:[^\n]*(?:\n|\Z)(?:[ \t]+[^\r\n][^\n]*(?:\n|\Z))*")
_FIELDS: Final = re.compile(rb"(?:" + _FIELD.pattern + rb")*")
_BLANK: Final = re.compile(rb"\r?\n")
_BLANK_BELOW: Final = re.compile(rb"\n\r?\n")
_BOUNDARY: Final = re.compile(
    rb'boundary[ \t\r\n]*=[ \t\r\n]*(?:"([^"\r\n]+)"?|([^\s;"]+))', re.IGNORECASE
)
_ANY_DELIMITER: Final = b"\n--"
# One is what a header has. More than this are read as if none could be trusted.
_MOST_BOUNDARIES: Final = 8
# Fields are looked for in this much; a longer header still ends at its blank line.
_HEADER_OCTETS: Final = 256 * 1024


def parts_of(content: bytes, budget: Budget) -> Iterator[bytes]:
    """Every decoded part, depth first. Not the content itself."""
    return _inside(content, _entity(content, 0, len(content), budget, 0), budget, 0)


def _inside(octets: bytes, decoded: Iterator[bytes], budget: Budget, depth: int) -> Iterator[bytes]:
    for part in chain(decoded, members(octets, budget, depth)):
        yield part
        is_message = _is_message(part, 0, len(part))
        inner = _entity(part, 0, len(part), budget, depth + 1) if is_message else iter(())
        yield from _inside(part, inner, budget, depth + 1)


def _entity(octets: bytes, start: int, end: int, budget: Budget, depth: int) -> Iterator[bytes]:
    """What one entity (a message or a body part) and all within it decode to."""
    budget.enter(depth)
    for header, body in _headers_and_bodies(octets, start, end):
        labels = header.lower()
        yield from readings(labels, octets, body, end, budget, depth)
        if b"multipart" in labels or b"boundary" in labels:
            for piece in _body_parts(header, octets, body, end):
                yield from _entity(octets, *piece, budget, depth + 1)
        if b"message/" in labels or _is_message(octets, body, end):
            yield from _entity(octets, body, end, budget, depth + 1)


def _headers_and_bodies(octets: bytes, start: int, end: int) -> Iterator[tuple[bytes, int]]:
    """The header, and where its body begins. Twice when a line in it is no field.

    Some clients end the header there, others read on to the blank line.
    """
    fields = _FIELDS.match(octets, start, min(end, start + _HEADER_OCTETS))
    header_end = fields.end() if fields is not None else start
    blank = _BLANK.match(octets, header_end, end)
    yield octets[start:header_end], blank.end() if blank is not None else header_end
    if blank is None and (below := _BLANK_BELOW.search(octets, header_end, end)) is not None:
        yield octets[start : below.start()], below.end()


def _body_parts(header: bytes, octets: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The spans between the delimiters (RFC 2046 §5.1.1) of every boundary that is named."""
    boundaries = {quoted or bare for quoted, bare in _BOUNDARY.findall(header)}
    delimiters = [b"\n--" + each for each in sorted(boundaries)]
    spans = chain.from_iterable(_between(each, octets, start, end) for each in delimiters)
    first = next(spans, None) if len(delimiters) <= _MOST_BOUNDARIES else None
    if first is None:
        # Named in a way that is not read here (RFC 2231 continuations): any line may be one.
        return _between(_ANY_DELIMITER, octets, start, end)
    return chain((first,), spans)


def _between(delimiter: bytes, octets: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    # The line feed of a delimiter at the very start of the body is the one before the body.
    at = octets.find(delimiter, max(start - 1, 0), end)
    if start == 0 and octets.startswith(delimiter[1:]):
        at = -1
    elif at < 0:
        return
    following = 0
    while following >= 0:
        line_end = octets.find(b"\n", at + len(delimiter), end)
        if line_end < 0:
            return
        following = octets.find(delimiter, line_end, end)
        yield line_end + 1, following if following >= 0 else end
        at = following


def _is_message(octets: bytes, start: int, end: int) -> bool:
    """Whether it begins like a message: fields, and one of MIME's among them."""
    end = min(end, start + _HEADER_OCTETS)
    if _FIELD.match(octets, start, end) is None:
        return False
    below = _BLANK_BELOW.search(octets, start, end)
    return b"content-" in octets[start : below.start() if below is not None else end].lower()
