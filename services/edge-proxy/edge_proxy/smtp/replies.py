"""Replies: octets to values (what servers send) and values to octets (what we say).

A reply is one or more CRLF lines with the same code; ``code-text`` goes on, ``code text`` or
a bare ``code`` ends it (RFC 5321 §4.2, §4.2.1).
"""

import re
from dataclasses import dataclass
from typing import Final

from edge_proxy.smtp.errors import Violation, ViolationKind
from edge_proxy.smtp.limits import REPLY, REPLY_LINE
from edge_proxy.smtp.lines import Inbox

_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?\r\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """``octets`` as they came, all lines; ``lines`` their texts without code and line end."""

    code: int
    lines: tuple[bytes, ...]
    octets: bytes

    @property
    def kind(self) -> int:
        """First digit: 2 done, 3 go on, 4 not now, 5 no (RFC 5321 §4.2.1)."""
        return self.code // 100

    @property
    def is_positive(self) -> bool:
        """2xx: what was asked is done."""
        return self.octets.startswith(b"2")


class ReplyReader:
    """Slices in, whole replies out. Keeps at most one unfinished reply, bounded by REPLY."""

    __slots__ = ("_code", "_held", "_inbox", "_lines", "_octets")

    def __init__(self) -> None:
        self._inbox = Inbox()
        self._code = b""
        self._held = 0
        self._lines: list[bytes] = []
        self._octets: list[bytes] = []

    def __len__(self) -> int:
        """Octets received that no whole reply accounts for yet."""
        return len(self._inbox) + self._held

    def feed(self, octets: bytes) -> None:
        self._inbox.feed(octets)

    def take_reply(self) -> Reply | None:
        """The next whole reply, or None. Raises Violation for what is no reply."""
        while (line := self._inbox.take_line(REPLY_LINE)) is not None:
            match = _LINE.fullmatch(line)
            if match is None or (self._lines and match[1] != self._code):
                raise Violation(ViolationKind.MALFORMED_REPLY)
            self._held += len(line)
            if self._held > REPLY:
                raise Violation(ViolationKind.REPLY_TOO_LONG)
            self._code = match[1]
            self._lines.append(match[3] or b"")
            self._octets.append(line)
            if match[2] != b"-":
                reply = Reply(int(self._code), tuple(self._lines), b"".join(self._octets))
                self._held, self._lines, self._octets = 0, [], []
                return reply
        return None


def render_reply(code: int, lines: tuple[bytes, ...]) -> bytes:
    """The octets of a reply with these texts."""
    *more, last = lines
    return b"".join(b"%d-%b\r\n" % (code, text) for text in more) + b"%d %b\r\n" % (code, last)
