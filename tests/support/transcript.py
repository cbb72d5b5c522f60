"""Transcripts: golden dialogs as text, one behaviour a file, that a person reads.

    # What is shown, and which RFC or attack it is about.
    given   a session past EHLO

    D> RSET                              an input: the client sends a line
     + NOOP                              the next line of the same slice
          U< RSET                        what the core does with it: sent to the server,
           + NOOP                        in one write
    U> 250 ok\\n\\
          U< (abort: ...)                in brackets: not octets, but what happens
          = closed                       the phase, when it changes

Sides: D downstream (client), U upstream (server), S scanner, P policy, T the clock, O the
operator; ``>`` towards the edge, ``<`` away from it. A line of octets ends in CRLF; with a
backslash at its end it does not. ``\\r \\n \\t \\0 \\xff \\\\`` are octets, ``\\{x*300}`` is 300 of
one. Nothing here knows the core: the same files can be played over sockets.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

OUTPUT: Final = " " * 6
_INPUT: Final = re.compile(r"(?P<side>[DUSPTO])>(?: (?P<text>.*))?")
_ESCAPE: Final = re.compile(r"\\(?:\{(.)\*(\d+)\}|x([0-9a-f]{2})|(.))")
_SIMPLE: Final = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
_RUN: Final = re.compile(rb"([!-Z^-z])\1{39,}")


@dataclass
class Step:
    """One input: ``lines`` as written, without the side; ``outputs`` as they stand below it."""

    side: str
    lines: list[str]
    outputs: list[str] = field(default_factory=list)

    @property
    def happening(self) -> str | None:
        """``ends`` for ``D> (ends)``; None when the input is octets."""
        first = self.lines[0]
        return first[1:-1] if first.startswith("(") and first.endswith(")") else None

    @property
    def octets(self) -> bytes:
        return b"".join(map(octets_of, self.lines))

    def sent(self, side: str) -> bytes:
        """The octets that the outputs say went to ``side``."""
        sent, current = b"", ""
        for line in self.outputs:
            mark, _, text = line.strip().partition(" ")
            current = current if mark == "+" else mark
            if current == f"{side}<" and not text.startswith("("):
                sent += octets_of(text)
        return sent


@dataclass
class Transcript:
    """``parts`` in the order of the file: comments and givens as text, and steps."""

    parts: list[str | Step]

    @property
    def givens(self) -> list[str]:
        texts = [part for part in self.parts if isinstance(part, str)]
        return [text.removeprefix("given").strip() for text in texts if text.startswith("given")]

    @property
    def steps(self) -> list[Step]:
        return [part for part in self.parts if isinstance(part, Step)]

    def rendered(self) -> str:
        lines: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                lines.append(part)
                continue
            first, *more = part.lines
            lines.append(f"{part.side}> {first}".rstrip())
            lines += [f" + {line}".rstrip() for line in more]
            lines += [f"{OUTPUT}{line}".rstrip() for line in part.outputs]
        return "\n".join(lines) + "\n"


class TranscriptError(ValueError):
    """A file that is no transcript; names the line."""


def read(path: Path) -> Transcript:
    return parsed(path.read_text(encoding="utf-8"))


def parsed(text: str) -> Transcript:
    """Raises TranscriptError for a line that is neither text, input nor output."""
    parts: list[str | Step] = []
    for number, line in enumerate(text.splitlines(), start=1):
        last = parts[-1] if parts else None
        if not line.isascii() and not line.startswith("#"):
            raise TranscriptError(f"line {number}: write octets above 127 as \\xff: {line!r}")
        if found := _INPUT.fullmatch(line):
            parts.append(Step(found["side"], [found["text"] or ""]))
        elif line.startswith(" +") and isinstance(last, Step) and not last.outputs:
            last.lines.append(line[3:])
        elif line.startswith(OUTPUT) and isinstance(last, Step):
            last.outputs.append(line.removeprefix(OUTPUT))
        elif not line or line.startswith(("#", "given ")):
            parts.append(line)
        else:
            raise TranscriptError(f"line {number} is no input, output, given or comment: {line!r}")
    return Transcript(parts)


def octets_of(line: str) -> bytes:
    """The octets a written line stands for, CRLF included unless it ends in a backslash."""
    whole = not re.search(r"(?<!\\)(?:\\\\)*\\$", line)
    text = line if whole else line[:-1]

    def plain(found: re.Match[str]) -> str:
        octet, count, number, letter = found.groups()
        if octet is not None:
            return str(octet) * int(count)
        return chr(int(number, 16)) if number else _SIMPLE[letter]

    return _ESCAPE.sub(plain, text).encode("latin-1") + (b"\r\n" if whole else b"")


def lines_of(octets: bytes) -> list[str]:
    """The written lines that stand for ``octets``; the way back of ``octets_of``."""
    pieces = octets.split(b"\r\n")
    lines = [_written(piece) for piece in pieces[:-1]]
    return [*lines, _written(pieces[-1]) + "\\"] if pieces[-1] else lines


def _written(piece: bytes) -> str:
    text, at = "", 0
    for run in _RUN.finditer(piece):
        text += "".join(map(_written_octet, piece[at : run.start()]))
        text += f"\\{{{run[1].decode()}*{len(run[0])}}}"
        at = run.end()
    text += "".join(map(_written_octet, piece[at:]))
    if text.startswith("("):
        text = "\\x28" + text[1:]
    return text[:-1] + "\\x20" if text.endswith(" ") else text


def _written_octet(octet: int) -> str:
    names = {ord(char): f"\\{name}" for name, char in _SIMPLE.items()}
    if octet in names:
        return names[octet]
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\x{octet:02x}"


def marked(side: str, lines: Sequence[str]) -> list[str]:
    """Output lines: the side before the first, a plus before the others."""
    return [f"{side}< {line}" if not at else f" + {line}" for at, line in enumerate(lines)]
