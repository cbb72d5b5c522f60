"""Where content ends: CRLF.CRLF and nothing else (RFC 5321 §4.1.1.4), or n octets (RFC 3030).

Simple on purpose: slices are kept until the end is seen, and only then unstuffed in one go.
Bare CR and LF are content like any other octet; they end nothing.
"""

from dataclasses import dataclass

_END = b"\r\n.\r\n"


@dataclass(frozen=True, slots=True)
class Content:
    """``wire`` as it travelled, without the terminator; ``octets`` unstuffed (§4.5.2)."""

    wire: bytes
    octets: bytes


class DataReader:
    """Collects what follows DATA; forgets all of it once it exceeds ``limit_octets``.

    ``size_octets`` counts the wire seen, terminator included.
    """

    __slots__ = ("_limit_octets", "_seam", "_slices", "size_octets")

    def __init__(self, limit_octets: int) -> None:
        self._limit_octets = limit_octets
        self._slices: list[bytes] = []
        self._seam = b"\r\n"  # content begins at the start of a line
        self.size_octets = 0

    @property
    def too_large(self) -> bool:
        """Whether the limit is exceeded; the content read is then empty."""
        return self.size_octets > self._limit_octets + len(_END)

    def read(self, octets: bytes) -> tuple[Content, bytes] | None:
        """The whole content and the octets behind its end; None: the end is not there yet."""
        window = self._seam + octets
        end = window.find(_END)
        if end < 0:
            self._seam = window[-(len(_END) - 1) :]
            self._keep(octets)
            return None
        rest = window[end + len(_END) :]
        self._keep(octets[: len(octets) - len(rest)])
        if self.too_large:
            return Content(b"", b""), rest
        # The terminator's own CRLF belongs to the last line; an empty content has no line.
        wire = b"".join(self._slices)[: -len(b".\r\n")]
        stuffed = wire.startswith(b".") or b"\r\n." in wire
        return Content(wire, _unstuffed(wire) if stuffed else wire), rest

    def _keep(self, octets: bytes) -> None:
        self.size_octets += len(octets)
        if self.too_large:
            self._slices.clear()
        else:
            self._slices.append(octets)


def _unstuffed(wire: bytes) -> bytes:
    return (b"\r\n" + wire).replace(b"\r\n.", b"\r\n")[2:]


class ChunkReader:
    """Collects exactly ``size_octets`` behind one BDAT command."""

    __slots__ = ("_slices", "_wanted")

    def __init__(self, size_octets: int) -> None:
        self._slices: list[bytes] = []
        self._wanted = size_octets

    def read(self, octets: bytes) -> tuple[bytes, bytes] | None:
        """The chunk and the octets behind it; None: more are to come."""
        taken, rest = octets[: self._wanted], octets[self._wanted :]
        self._slices.append(taken)
        self._wanted -= len(taken)
        return None if self._wanted else (b"".join(self._slices), rest)
