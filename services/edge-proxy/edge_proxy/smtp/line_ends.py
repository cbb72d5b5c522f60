"""Whether content can be read in one way only, as far as its line ends go.

Servers mend what they are sent: one drops the second CR of CRCRLF, another takes a CR alone for a
line end, a third forgets all that stands between a NUL and the end of its line. Then a line that
no scanner took for a boundary of MIME is one behind the server, and what was found clean is not
what is delivered. RFC 5321 §2.3.8 forbids a CR or LF alone, §4.5.2 knows no NUL.

A bare LF most programs, scanners among them, take for a line end: so it may be allowed.
"""

from edge_proxy.smtp.errors import Violation, ViolationKind


class LineEnds:
    """Looks at content in slices, each octet once."""

    __slots__ = ("_allows_bare_lf", "_behind_cr")

    def __init__(self, *, allows_bare_lf: bool) -> None:
        self._allows_bare_lf = allows_bare_lf
        self._behind_cr = False

    def check(self, octets: bytes) -> None:
        """Raises Violation(AMBIGUOUS_CONTENT). A CR at the very end may still get its LF."""
        if not octets:
            return
        window = b"\r" + octets if self._behind_cr else octets
        self._behind_cr = window.endswith(b"\r")
        pairs = window.count(b"\r\n")
        if (
            window.count(b"\r") - self._behind_cr != pairs
            or b"\0" in window
            or (not self._allows_bare_lf and window.count(b"\n") != pairs)
        ):
            raise Violation(ViolationKind.AMBIGUOUS_CONTENT)
