"""mksd's protocol, byte for byte as its library spoke it: one request and one line a connection.

The request is the letter ``S``, the absolute path of a file, and LF. The answer is a line:
``OK``, ``CLN`` (cleaned) or ``DEL`` (deleted) say that nothing bad is left, ``VIR`` names what
was found, ``ERR`` says why there is no answer.

Errors: ReplyMalformed. Bound: LARGEST_LINE octets.
"""

import re
from dataclasses import dataclass
from typing import Final

from scanner.core.replies import ReplyMalformed, words

LARGEST_LINE: Final = 4200

_CLEAN: Final = frozenset({b"OK", b"CLN", b"DEL"})
_ANSWER: Final = re.compile(rb"(?P<word>OK|CLN|DEL|VIR|ERR)(?: (?P<rest>[^\n]*))?\n")


def scan_request(path: str) -> bytes:
    """``path`` is absolute and has no line end: it is made by us."""
    assert path.startswith("/"), path
    assert "\n" not in path, path
    return b"S" + path.encode() + b"\n"


@dataclass(frozen=True, slots=True)
class FileReply:
    """``virus``: its name. ``refusal``: mksd's words when it did not judge. Else clean."""

    virus: str = ""
    refusal: str = ""


class LineReader:
    """Reads the one line."""

    __slots__ = ("_octets", "trailing")

    def __init__(self) -> None:
        self._octets = b""
        self.trailing = b""

    def feed(self, octets: bytes) -> FileReply | None:
        self._octets += octets
        line, end, self.trailing = self._octets.partition(b"\n")
        if len(line) > LARGEST_LINE:
            raise ReplyMalformed(f"a line of more than {LARGEST_LINE} octets")
        return _answer(line + end) if end else None


def _answer(line: bytes) -> FileReply:
    said = _ANSWER.fullmatch(line)
    if said is None:
        raise ReplyMalformed(f"not an answer of mksd: {words(line)}")
    word, rest = said["word"], said["rest"] or b""
    if word in _CLEAN:
        return FileReply()
    if word == b"VIR":
        return FileReply(virus=words(rest.split(b" ")[0]) or "unnamed")
    return FileReply(refusal=words(rest) or "no reason given")
