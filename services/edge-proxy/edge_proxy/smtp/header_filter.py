"""Header fields of one name, taken out of content on its way (RFC 5322 §2.2).

Works on the wire, slice by slice, before anybody looks for the end of content: the name has no
dot, so no line that was stuffed can be meant. Only the header block is looked at; from its end,
the first empty line or a line with a single dot, slices pass untouched. Keeps back less than a
line's beginning, whatever arrives.
"""

import re
from typing import Final

_LINE_END: Final = b"\r\n"
_BLOCK_ENDS: Final = (b"\r\n", b".\r\n")
_BLANKS: Final = 8
"""Blanks before the colon (RFC 5322 §4.5) with which a field is still taken for one."""


class HeaderFilter:
    """``over`` once the header block is: nothing is taken out any more."""

    __slots__ = ("_beginning", "_dropping", "_in_line", "_longest", "_meant", "over")

    def __init__(self, name: bytes) -> None:
        """``name`` without the colon."""
        self._meant: Final = re.compile(re.escape(name) + rb"[ \t]{0,%d}:" % _BLANKS, re.IGNORECASE)
        self._longest: Final = len(name) + _BLANKS + 1
        self._beginning = b""  # of a line, as long as it could be one that is meant
        self._in_line = False  # what comes belongs to a line whose beginning was judged
        self._dropping = False  # that line, and the next if it goes on with a blank
        self.over = False

    def passed(self, octets: bytes) -> bytes:
        """What of the slice goes on, with what was kept back before."""
        kept: list[bytes] = []
        at = 0
        octets, self._beginning = self._beginning + octets, b""
        while at < len(octets) and not self.over:
            end = octets.find(_LINE_END, at)
            stop = len(octets) if end < 0 else end + len(_LINE_END)
            piece = octets[at:stop]
            if not self._in_line and not self._judge(piece, whole=end >= 0):
                self._beginning = piece
                return b"".join(kept)
            if end < 0 and piece.endswith(b"\r"):  # half of a line end, perhaps
                self._beginning, piece = b"\r", piece[:-1]
            if not self._dropping:
                kept.append(piece)
            self._in_line = end < 0
            at = stop
        return b"".join((*kept, octets[at:]))

    def _judge(self, piece: bytes, *, whole: bool) -> bool:
        """What becomes of the line that begins so; False: too little is known of it."""
        if not whole and len(piece) < self._longest:
            return False
        if piece[:1] not in (b" ", b"\t"):
            self._dropping = self._meant.match(piece) is not None
            self.over = piece in _BLOCK_ENDS
        return True
