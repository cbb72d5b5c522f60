"""What came of a sequence at one far side, alone or behind the edge."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tests.support.desync.sequences import Sequence
from tests.support.desync.trial import Codes

_LINE_ENDS: Final = re.compile(rb"[\r\n ]")
_END_OF_HEADER: Final = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Outcome:
    """``outer`` and ``inner``: the bodies delivered of each, one or none.

    ``scanned``: the bodies a scan saw and found clean; None where no edge was between.
    """

    sequence: Sequence
    codes: Codes
    outer: tuple[bytes, ...]
    inner: tuple[bytes, ...]
    scanned: tuple[bytes, ...] | None = None

    @property
    def delivered(self) -> tuple[bytes, ...]:
        return (*self.outer, *self.inner)

    @property
    def smuggled(self) -> bool:
        """The inner message came out where a strict reader sees none."""
        return bool(self.inner) and self.sequence.messages < 2

    @property
    def unscanned(self) -> tuple[bytes, ...]:
        """Bodies delivered that no scan has seen as they are; none where nobody scanned."""
        if self.scanned is None:
            return ()
        seen = {_comparable(each) for each in self.scanned}
        return tuple(each for each in self.delivered if _comparable(each) not in seen)


def bodies(messages: Iterable[bytes], kind: bytes, mark: bytes) -> tuple[bytes, ...]:
    """Of the messages whose first line of text this is."""
    first = re.compile(re.escape(kind + mark) + rb"\r?\n")
    found = (_END_OF_HEADER.split(message, 1)[-1] for message in messages)
    return tuple(body for body in found if first.match(body))


def _comparable(body: bytes) -> bytes:
    """A server keeps line ends as it likes: CRLF as LF, a bare CR or LF as a blank or as a line
    end, a long line in two. Every other octet counts."""
    return _LINE_ENDS.sub(b"", body)
