"""Between the YARA engine and its worker processes: one question, one answer, in turn.

First a worker is told its rules: a fixed head (octets that follow), and JSON. It greets with a
line once they are compiled. Then a question is a fixed head (octets of content, seconds allowed)
and the content; an answer is one line of JSON.

Errors: ReplyMalformed. Bounds: a line has at most LARGEST_LINE octets.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from scanner.core.replies import ReplyMalformed, words

_HEAD: Final = struct.Struct(">Qd")
HEAD_OCTETS: Final = _HEAD.size
_RULES_HEAD: Final = struct.Struct(">Q")
RULES_HEAD_OCTETS: Final = _RULES_HEAD.size

LARGEST_LINE: Final = 64 * 1024
# Reported of one content; a rule set that matches more often has said enough.
MOST_MATCHES: Final = 32


def rules_frame(texts: Sequence[tuple[str, str]]) -> bytes:
    """Name and text of each rule file."""
    written = json.dumps(texts).encode("ascii")
    return _RULES_HEAD.pack(len(written)) + written


def read_rules_head(octets: bytes) -> int:
    """Octets that follow."""
    (size_octets,) = _RULES_HEAD.unpack(octets)
    return int(size_octets)


def read_rules(octets: bytes) -> list[tuple[str, str]]:
    """What ``rules_frame`` was given, from what is behind its head."""
    return [(name, text) for name, text in json.loads(octets)]


def question_head(size_octets: int, allowed_s: float) -> bytes:
    return _HEAD.pack(size_octets, allowed_s)


def read_question_head(octets: bytes) -> tuple[int, float]:
    """Octets of content that follow, and the seconds the answer may take."""
    size_octets, allowed_s = _HEAD.unpack(octets)
    return size_octets, allowed_s


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """A rule that matched, with what it judges ("virus" or "spam") and its spam score."""

    rule: str
    judges: str
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker found; ``unfinished`` says why it did not look at everything, or is empty."""

    matches: tuple[RuleMatch, ...] = ()
    unfinished: str = ""


@dataclass(frozen=True, slots=True)
class Greeting:
    """How many rules a worker has compiled, or why it could not: then ``trouble`` says so."""

    rules: int = 0
    trouble: str = ""


def line_of(said: Answer | Greeting) -> bytes:
    return json.dumps(asdict(said)).encode("ascii") + b"\n"


class _Line:
    """Octets up to a line feed, bounded, as JSON."""

    __slots__ = ("_octets", "trailing")

    def __init__(self) -> None:
        self._octets = bytearray()
        self.trailing = b""

    def complete(self, octets: bytes) -> dict[str, object] | None:
        self._octets += octets
        line, end, trailing = self._octets.partition(b"\n")
        if len(line) > LARGEST_LINE:
            raise ReplyMalformed(f"a line of more than {LARGEST_LINE} octets")
        if not end:
            return None
        self.trailing = bytes(trailing)
        try:
            said = json.loads(line)
        except ValueError:
            raise ReplyMalformed(f"not JSON: {words(bytes(line))}") from None
        if not isinstance(said, dict):
            raise ReplyMalformed(f"not an object: {words(bytes(line))}")
        return said


class AnswerReader:
    """Reads a worker's answer."""

    __slots__ = ("_line",)

    def __init__(self) -> None:
        self._line = _Line()

    @property
    def trailing(self) -> bytes:
        return self._line.trailing

    def feed(self, octets: bytes) -> Answer | None:
        said = self._line.complete(octets)
        if said is None:
            return None
        match said:
            case {"matches": list(matches), "unfinished": str(unfinished)}:
                return Answer(tuple(_match(each) for each in matches), unfinished)
        raise ReplyMalformed("not an answer")


class GreetingReader:
    """Reads a worker's greeting."""

    __slots__ = ("_line",)

    def __init__(self) -> None:
        self._line = _Line()

    @property
    def trailing(self) -> bytes:
        return self._line.trailing

    def feed(self, octets: bytes) -> Greeting | None:
        said = self._line.complete(octets)
        if said is None:
            return None
        match said:
            case {"rules": int(rules), "trouble": str(trouble)}:
                return Greeting(rules, trouble)
        raise ReplyMalformed("not a greeting")


def _match(said: object) -> RuleMatch:
    match said:
        case {"rule": str(rule), "judges": str(judges), "score": int() | float() as score}:
            return RuleMatch(rule, judges, float(score))
    raise ReplyMalformed("not a match")
