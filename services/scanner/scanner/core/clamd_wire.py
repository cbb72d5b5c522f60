"""clamd's protocol (clamd(8)): sessions of INSTREAM commands, VERSION and RELOAD.

Inside IDSESSION clamd numbers the commands of a connection from 1 and says the number with
each reply; one command is under way at a time here, so any other number is malformed.
INSTREAM carries the content in slices, each behind its length, ended by a length of 0.

Errors: ReplyMalformed. Bounds: a reply has at most LARGEST_REPLY octets.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from scanner.core.content import Content, Piece
from scanner.core.profile import EngineVersion
from scanner.core.replies import ReplyMalformed, words

OPEN_SESSION: Final = b"zIDSESSION\0"
ASK_VERSION: Final = b"zVERSION\0"
RELOAD: Final = b"zRELOAD\0"
_INSTREAM: Final = b"zINSTREAM\0"
_END: Final = struct.pack(">I", 0)

# Content up to this size travels in one write with its frame; beyond it, copying the content
# to save system calls does not pay.
SLICE_OCTETS: Final = 128 * 1024
# clamd's own buffer for a reply is 1,024 octets; signature names are far shorter.
LARGEST_REPLY: Final = 4096


def instream(content: Content) -> Iterator[Piece]:
    """The command, in buffers to be written in order; large content is not copied."""
    if 0 < content.size_octets <= SLICE_OCTETS:
        yield b"".join((_INSTREAM, _length(content.size_octets), *content.pieces, _END))
        return
    yield _INSTREAM
    for part in content.slices(SLICE_OCTETS):
        yield _length(len(part))
        yield part
    yield _END


def _length(octets: int) -> bytes:
    return struct.pack(">I", octets)


class Outcome(Enum):
    """What clamd says about a stream."""

    CLEAN = "nothing found"
    FOUND = "a signature matched"
    LIMITS_EXCEEDED = "a limit of its own kept clamd from looking at all of it"
    TOO_LARGE = "longer than clamd's StreamMaxLength"
    FAILED = "an error of clamd's"


@dataclass(frozen=True, slots=True)
class StreamReply:
    """``text``: the signature when FOUND; clamd's own words when it is trouble."""

    outcome: Outcome
    text: str = ""


_CLEAN: Final = StreamReply(Outcome.CLEAN)
_OK: Final = b"stream: OK"
_TOO_LARGE: Final = b"INSTREAM size limit exceeded. ERROR"
_STATEMENT: Final = re.compile(rb"(stream: )?(.+) (FOUND|ERROR)", re.DOTALL)
# With AlertExceedsMax, clamd reports its own limits as if they were a signature. A zip bomb is
# not a virus, nor is a large message: nobody has judged it, and that is what we say.
_LIMITS: Final = b"Heuristics.Limits.Exceeded"


class _NulEnded:
    """Octets up to their NUL, bounded."""

    __slots__ = ("_octets", "trailing")

    def __init__(self) -> None:
        self._octets = b""
        self.trailing = b""

    def complete(self, octets: bytes) -> bytes | None:
        line, nul, trailing = (self._octets + octets).partition(b"\0")
        if len(line) > LARGEST_REPLY:
            raise ReplyMalformed(f"more than {LARGEST_REPLY} octets without an end")
        if not nul:
            self._octets = line
            return None
        self.trailing = trailing
        return line


class StreamReader:
    """Reads the reply to the INSTREAM that was command ``number`` of its session."""

    __slots__ = ("_line", "_number")

    def __init__(self, number: int) -> None:
        self._number = b"%d: " % number
        self._line = _NulEnded()

    @property
    def trailing(self) -> bytes:
        return self._line.trailing

    def feed(self, octets: bytes) -> StreamReply | None:
        line = self._line.complete(octets)
        if line is None:
            return None
        if not line.startswith(self._number):
            raise ReplyMalformed(f"answers another command than {words(self._number)}{words(line)}")
        return _meaning(line[len(self._number) :])


def _meaning(statement: bytes) -> StreamReply:
    if statement == _OK:
        return _CLEAN
    if statement == _TOO_LARGE:
        return StreamReply(Outcome.TOO_LARGE, words(statement))
    parsed = _STATEMENT.fullmatch(statement)
    if parsed is None:
        raise ReplyMalformed(f"neither OK, FOUND nor ERROR: {words(statement)}")
    stream, text, kind = parsed.groups()
    if kind == b"ERROR":
        return StreamReply(Outcome.FAILED, words(text))
    if stream is None:
        raise ReplyMalformed(f"found in no stream: {words(statement)}")
    outcome = Outcome.LIMITS_EXCEEDED if text.startswith(_LIMITS) else Outcome.FOUND
    return StreamReply(outcome, words(text))


_VERSION: Final = re.compile(
    rb"(?P<text>ClamAV [^/]{1,64})"
    rb"(?:/(?P<signatures>\d{1,9})"
    rb"(?:/\w{3} (?P<month>\w{3}) +(?P<day>\d{1,2}) (?P<time>\d\d:\d\d:\d\d) (?P<year>\d{4}))?)?"
)
# Not strptime's %b: that one speaks the operator's language.
_MONTHS: Final = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun",
                  b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")  # fmt: skip


class VersionReader:
    """Reads the reply to VERSION, asked outside of a session.

    clamd tells the database only when it has an official one (daily.cvd), and its date
    without a zone: it is read as UTC, which a signature's age in days can bear.
    """

    __slots__ = ("_line",)

    def __init__(self) -> None:
        self._line = _NulEnded()

    @property
    def trailing(self) -> bytes:
        return self._line.trailing

    def feed(self, octets: bytes) -> EngineVersion | None:
        line = self._line.complete(octets)
        return None if line is None else _version(line)


class ReloadReader:
    """Reads the reply to RELOAD, asked outside of a session: a promise, for it loads later."""

    __slots__ = ("_line",)

    def __init__(self) -> None:
        self._line = _NulEnded()

    @property
    def trailing(self) -> bytes:
        return self._line.trailing

    def feed(self, octets: bytes) -> bool | None:
        line = self._line.complete(octets)
        if line is None:
            return None
        if line != b"RELOADING":
            raise ReplyMalformed(f"no promise to reload: {words(line)}")
        return True


def _version(line: bytes) -> EngineVersion:
    parsed = _VERSION.fullmatch(line)
    if parsed is None:
        raise ReplyMalformed(f"not a version: {words(line)}")
    number = parsed["signatures"]
    return EngineVersion(
        words(parsed["text"]), None if number is None else int(number), _made_at(parsed)
    )


def _made_at(parsed: re.Match[bytes]) -> float | None:
    if parsed["month"] not in _MONTHS:
        return None
    month = _MONTHS.index(parsed["month"]) + 1
    moment = f"{int(parsed['year'])}-{month}-{int(parsed['day'])} {parsed['time'].decode()}"
    try:
        return datetime.strptime(moment, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
