"""The reader that decides where content ends: the one place the whole farm stands on.

Content ends at CRLF "." CRLF and nowhere else (RFC 5321 §4.1.1.4). Any other lone dot between
line breaks of some kind (LF.LF, CR.CR, CRLF.LF, ...) would end the message for some servers
and not for us: what follows would be a second message that nobody scanned (SMTP smuggling,
CVE-2023-51764 and its kin). A dot behind a bare LF is stuffing to some servers and text to others;
the rest is in ``line_ends``. Such content is ambiguous, and refused, never repaired.

Work is per slice: a few searches through all of it, no step a line.
"""

from typing import Final, NamedTuple

from edge_proxy.smtp.errors import Violation, ViolationKind
from edge_proxy.smtp.line_ends import LineEnds

TERMINATOR: Final = b".\r\n"
"""The held end: the CRLF before it belongs to the last line and has already been relayed."""

_END: Final = b"\r\n.\r\n"


class Piece(NamedTuple):
    """``wire`` as it travels, ``content`` unstuffed (RFC 5321 §4.5.2).

    ``rest`` is what follows the terminator, None while there was none.
    """

    wire: bytes
    content: bytes
    rest: bytes | None


class DotStuffedReader:
    """Slices in, pieces out; holds back at most two octets that could become the end."""

    __slots__ = ("_given", "_line_ends", "_seam")

    def __init__(self, *, allows_bare_lf: bool = True) -> None:
        self._seam = b"\r\n"  # as if a line had just ended: content may start with its end
        self._given = 2  # leading octets of the seam that were given out before
        self._line_ends = LineEnds(allows_bare_lf=allows_bare_lf)

    def read(self, octets: bytes) -> Piece:
        """Raises Violation(AMBIGUOUS_CONTENT); then nothing of ``octets`` was given out."""
        window = self._seam + octets
        given = self._given
        dotted = b"." in window
        end = window.find(_END) if dotted else -1
        rest = None
        if end >= 0:
            rest = window[end + len(_END) :]
            window = window[: end + 2]
        self._line_ends.check(octets if rest is None else octets[: len(octets) - len(rest)])
        if dotted and (window.count(b"\n.") != window.count(b"\r\n.") or b"\n.\n" in window):
            raise Violation(ViolationKind.AMBIGUOUS_CONTENT)
        if rest is not None:
            return Piece(window[given:], _unstuffed(window, given), rest)
        held = 1 if window.endswith(b"\n.") else 2 if window.endswith(b"\n.\r") else 0
        cut = len(window) - held
        self._seam, self._given = window[max(0, cut - 2) :], min(2, cut)
        wire = window[given:cut]
        return Piece(wire, _unstuffed(window[:cut], given) if dotted else wire, None)


def _unstuffed(window: bytes, given: int) -> bytes:
    return window.replace(b"\r\n.", b"\r\n")[given:]
