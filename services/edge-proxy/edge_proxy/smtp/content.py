"""The reader that decides where content ends: the one place the whole farm stands on.

Content ends at CRLF "." CRLF and nowhere else (RFC 5321 §4.1.1.4). Any other lone dot between
line breaks of some kind (LF.LF, CR.CR, CRLF.LF, ...) would end the message for some servers
and not for us: what follows would be a second message that nobody scanned (SMTP smuggling,
CVE-2023-51764 and its kin). Such content is ambiguous, and refused, never repaired.

Work is per slice: without a dot in it (base64), a slice costs one search for one octet.
"""

from typing import Final, NamedTuple

from edge_proxy.smtp.errors import Violation, ViolationKind

TERMINATOR: Final = b".\r\n"
"""The held end: the CRLF before it belongs to the last line and has already been relayed."""

_LONE_DOTS: Final = (b"\n.\r", b"\n.\n", b"\r.\r", b"\r.\n")
_LONE_DOTS_AND_NUL: Final = (*_LONE_DOTS, b"\n.\0", b"\r.\0")
"""A server that keeps lines as C strings reads ``.NUL`` as a lone dot."""


class Piece(NamedTuple):
    """``wire`` as it travels, ``content`` unstuffed (RFC 5321 §4.5.2).

    ``rest`` is what follows the terminator, None while there was none.
    """

    wire: bytes
    content: bytes
    rest: bytes | None


class DotStuffedReader:
    """Slices in, pieces out; holds back at most two octets that could become the end."""

    __slots__ = ("_given", "_seam")

    def __init__(self) -> None:
        self._seam = b"\r\n"  # as if a line had just ended: content may start with its end
        self._given = 2  # leading octets of the seam that were given out before

    def read(self, octets: bytes) -> Piece:
        """Raises Violation(AMBIGUOUS_END); then nothing of ``octets`` was given out."""
        window = self._seam + octets
        given = self._given
        dotted = b"." in window
        if dotted:
            limit, at = len(window), -1
            for lone in (
                _LONE_DOTS_AND_NUL if b"\0" in window else _LONE_DOTS
            ):  # the first one decides, whichever it is
                found = window.find(lone, 0, limit)
                if found >= 0:
                    at, limit = found, found + 2
            if at >= 0:
                if window[at - 1 : at + 4] == b"\r\n.\r\n":
                    end = at + 1
                    return Piece(
                        window[given:end], _unstuffed(window[:end], given), window[at + 4 :]
                    )
                if window[at - 1 :] != b"\r\n.\r":
                    raise Violation(ViolationKind.AMBIGUOUS_END)
        held = 1 if window.endswith((b"\n.", b"\r.")) else 2 if window.endswith(b"\n.\r") else 0
        cut = len(window) - held
        self._seam, self._given = window[max(0, cut - 2) :], min(2, cut)
        wire = window[given:cut]
        return Piece(wire, _unstuffed(window[:cut], given) if dotted else wire, None)


def _unstuffed(window: bytes, given: int) -> bytes:
    return window.replace(b"\r\n.", b"\r\n")[given:]
