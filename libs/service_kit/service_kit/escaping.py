r"""Strangers' octets as text that a person, a terminal and a log parser can all be shown.

What leaves here is printable Unicode and nothing else: no CR, LF, NUL, ESC, DEL, no bidi
override, no zero-width or unassigned character. Everything else is written as ``\xNN`` (an
octet that is not UTF-8, or an ASCII control), ``\uNNNN`` or ``\UNNNNNNNN``. A backslash of the
stranger's is doubled, so every single backslash is ours and nothing can imitate an escape.
"""

import json
from typing import Final

DEFAULT_LIMIT: Final = 256
"""Octets or characters shown of one field. RFC 5321 §4.5.3.1.3: a path has at most 256."""


def for_log(octets: bytes, limit: int = DEFAULT_LIMIT) -> str:
    r"""At most ``limit`` octets, escaped; what was cut is said as ``\[N more]``."""
    kept = octets[:limit]
    text = _escaped_text(_as_text(kept))
    return text if len(octets) <= limit else rf"{text}\[{len(octets) - limit} more]"


def text_for_log(text: str, limit: int = DEFAULT_LIMIT) -> str:
    """The same for what is already text, ``limit`` in characters."""
    if len(text) <= limit:
        return _escaped_text(text)
    return rf"{_escaped_text(text[:limit])}\[{len(text) - limit} more]"


def ascii_only(text: str) -> str:
    r"""What was escaped already, with every character above ASCII as JSON would write it:
    ``\uNNNN``, in pairs above U+FFFF (RFC 8259 §7)."""
    if text.isascii():
        return text
    return "".join(each if each.isascii() else json.dumps(each)[1:-1] for each in text)


# Octets that are not UTF-8 travel as U+DC80..U+DCFF (PEP 383) until they are written as \xNN.
_FIRST_STRAY: Final = 0xDC80
_LAST_STRAY: Final = 0xDCFF


def _as_text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _escaped_text(text: str) -> str:
    if text.isprintable() and "\\" not in text:  # nearly always; one pass in C
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    point = ord(character)
    if _FIRST_STRAY <= point <= _LAST_STRAY:
        return f"\\x{point - 0xDC00:02x}"
    if point <= 0x7F:  # noqa: PLR2004 - above it \xNN means an octet that was not UTF-8
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004
