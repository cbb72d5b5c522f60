"""Octets as they came, and the CRLF lines in them.

An ``Inbox`` keeps what was received and not yet understood. A line ends in CRLF (RFC 5321
§2.3.8); a bare LF, a CR elsewhere or a NUL is a ``Violation``, because some server would
take it for a line end and another would not.
"""

from typing import Final

from edge_proxy.smtp.errors import Violation, ViolationKind

_NOTHING: Final = b""


class Inbox:
    """Received octets in order. ``feed`` at the end, take from the front."""

    __slots__ = ("_octets", "_start")

    def __init__(self) -> None:
        self._octets = _NOTHING
        self._start = 0

    def __len__(self) -> int:
        return len(self._octets) - self._start

    def feed(self, octets: bytes) -> None:
        """Append. Without anything left from before, the slice is kept as it is, uncopied."""
        self._octets = self._octets[self._start :] + octets if len(self) else octets
        self._start = 0

    def take_line(self, limit: int) -> bytes | None:
        """The next line with its CRLF, or None: more octets are needed.

        Raises Violation when the line is, or will be, longer than ``limit`` octets, or is
        not a clean CRLF line.
        """
        end = self._octets.find(b"\n", self._start, self._start + limit)
        if end < 0:
            if len(self) >= limit:
                raise Violation(ViolationKind.LINE_TOO_LONG)
            return None
        line = self._octets[self._start : end + 1]
        if not line.endswith(b"\r\n") or line.find(b"\r", 0, -2) >= 0 or b"\0" in line:
            raise Violation(ViolationKind.BARE_LINE_END)
        self._start = end + 1
        return line

    def take_all(self) -> bytes:
        """Everything that is there."""
        octets = self._octets[self._start :]
        self._octets, self._start = _NOTHING, 0
        return octets

    def take(self, most: int) -> bytes:
        """Up to ``most`` octets; the slice itself when that is all of it."""
        if most >= len(self):
            return self.take_all()
        octets = self._octets[self._start : self._start + most]
        self._start += most
        return octets

    def skip(self, count: int) -> int:
        """Drop up to ``count`` octets; how many were dropped."""
        dropped = min(count, len(self))
        self._start += dropped
        return dropped
