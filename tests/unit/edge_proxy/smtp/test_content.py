"""The end-of-data reader against a plain reading of the whole stream."""

import itertools
import re
from typing import Final, NamedTuple

import pytest

from edge_proxy.smtp.content import TERMINATOR, DotStuffedReader
from edge_proxy.smtp.errors import Violation, ViolationKind

_END: Final = b"\r\n.\r\n"
_AMBIGUOUS: Final = re.compile(rb"\0|\r(?=[^\n])|(?<!\r)\n\.|\r\n\.\n")
"""What some server would read otherwise than we do, an end of content among it."""


class Outcome(NamedTuple):
    wire: bytes
    content: bytes
    rest: bytes | None
    ambiguous: bool = False


def plainly(octets: bytes) -> Outcome:
    """What the reader must make of a whole stream; written to be obvious, not fast.

    Without an end, ``wire`` is what may be given out at most: everything.
    """
    stream = b"\r\n" + octets
    end = stream.find(_END)
    read = stream if end < 0 else stream[: end + 2]
    if _AMBIGUOUS.search(read):
        return Outcome(b"", b"", None, ambiguous=True)
    rest = None if end < 0 else stream[end + len(_END) :]
    return Outcome(read[2:], _unstuffed(read), rest)


def _unstuffed(stream: bytes) -> bytes:
    lines = stream.split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)[2:]


def sliced(octets: bytes, size: int, *, allows_bare_lf: bool = True) -> Outcome:
    """What the reader makes of slices of ``size`` octets."""
    reader = DotStuffedReader(allows_bare_lf=allows_bare_lf)
    wire = content = b""
    for start in range(0, len(octets), size):
        try:
            piece = reader.read(octets[start : start + size])
        except Violation as violation:
            return Outcome(b"", b"", None, violation.kind is ViolationKind.AMBIGUOUS_CONTENT)
        wire += piece.wire
        content += piece.content
        if piece.rest is not None:
            return Outcome(wire, content, piece.rest + octets[start + size :])
    return Outcome(wire, content, None)


def same(seen: Outcome, expected: Outcome) -> bool:
    """Equal; without an end the reader may still hold two octets back."""
    if expected.ambiguous or expected.rest is not None:
        return seen == expected
    held = expected.wire[len(seen.wire) :]
    return (
        not seen.ambiguous
        and seen.rest is None
        and expected.wire.startswith(seen.wire)
        and held in (b"", b".", b".\r")
        and expected.content.startswith(seen.content)
    )


ENDS: Final = (b"\r\n", b"\n", b"\r", b"", b"\r\r\n", b"\0", b"\r\n\0", b"\n\r", b"\0\r\n", b"x")


@pytest.mark.parametrize("before", ENDS)
@pytest.mark.parametrize("after", ENDS)
def test_every_line_end_round_a_dot_is_read_like_the_whole_stream(
    before: bytes, after: bytes
) -> None:
    for head, tail in itertools.product((b"", b"a", b"a\r\n"), (b"", b"b", b"b\r\n.\r\nQUIT\r\n")):
        octets = head + before + b"." + after + tail
        expected = plainly(octets)
        for size in (len(octets), 1, 2, 3):
            assert same(sliced(octets, size), expected), (octets, size)


@pytest.mark.parametrize(
    ("octets", "content", "rest"),
    [
        (b".\r\n", b"", b""),
        (b"\r\n.\r\n", b"\r\n", b""),
        (b"a\r\n.\r\n", b"a\r\n", b""),
        (b"a\r\n..\r\n.\r\n", b"a\r\n.\r\n", b""),
        (b"..\r\n.\r\n", b".\r\n", b""),
        (b"...a\r\n.b\r\n.\r\n", b"..a\r\nb\r\n", b""),
        (b"a.\r\n.\r\nb", b"a.\r\n", b"b"),
        (b"a\r\n.\r\nMAIL\r\n.\r\n", b"a\r\n", b"MAIL\r\n.\r\n"),
        (b"a\nb\n\nc\r\n.\r\n", b"a\nb\n\nc\r\n", b""),
        (b"\xff\xfe\r\n.\r\n", b"\xff\xfe\r\n", b""),
    ],
)
def test_content_is_unstuffed_and_ends_at_the_terminator_only(
    octets: bytes, content: bytes, rest: bytes
) -> None:
    for size in (len(octets), 1, 2, 3, 5):
        seen = sliced(octets, size)
        assert (seen.content, seen.rest) == (content, rest)
        assert seen.wire + TERMINATOR + rest == octets


@pytest.mark.parametrize(
    "octets",
    [
        b"a\n.\n",
        b"a\n.\r\n",
        b"a\r.\r",
        b"a\r.\r\n",
        b"a\r.\n",
        b"a\r\n.\n",
        b"a\r\n.\r\r\n",
        b"a\r\n.\rb",
        b"a\r\n.\0",
        b"a\n.\0",
        b".\n",
        b".\rx",
        b".\0\r\n",
    ],
)
def test_any_other_lone_dot_is_ambiguous(octets: bytes) -> None:
    for size in (len(octets), 1, 2, 3):
        assert sliced(octets, size).ambiguous


@pytest.mark.parametrize(
    "octets", [b"a\r\r\n", b"a\rb", b"\0", b"a\0\r\n", b"a\n.b\r\n", b"a\r\n\r\rb", b"\n."]
)
def test_what_servers_mend_is_ambiguous(octets: bytes) -> None:
    for size in (len(octets), 1, 2, 3):
        assert sliced(octets + b".\r\n", size).ambiguous


def test_octets_behind_the_end_are_not_looked_at() -> None:
    assert sliced(b"a\r\n.\r\n\0\r\n.b", 100).rest == b"\0\r\n.b"


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_bare_lf_is_ambiguous_where_it_is_not_allowed(size: int) -> None:
    octets = b"a\r\n\r\nb\nc\r\n.\r\n"
    assert sliced(octets, size, allows_bare_lf=False).ambiguous
    assert not sliced(octets, size).ambiguous
    assert sliced(octets.replace(b"b\nc", b"b\r\nc"), size, allows_bare_lf=False).rest == b""


def test_nothing_of_an_ambiguous_slice_is_given_out() -> None:
    reader = DotStuffedReader()
    assert reader.read(b"first\r\n").wire == b"first\r\n"
    with pytest.raises(Violation):
        reader.read(b"second\r\nthird\n.\r\n")


@pytest.mark.parametrize("end", [b".", b".\r"])
def test_only_what_could_become_the_end_is_held_back(end: bytes) -> None:
    reader = DotStuffedReader()
    assert reader.read(b"a\r\n" + end).wire == b"a\r\n"
    piece = reader.read((b".\r\n" + b"x")[len(end) :])
    assert piece == (b"", b"", b"x")


def test_a_held_dot_that_was_none_is_given_out_with_what_follows() -> None:
    reader = DotStuffedReader()
    reader.read(b"a\r\n.")
    assert reader.read(b"b") == (b".b", b"b", None)


def test_a_slice_without_a_dot_passes_uncopied_in_content() -> None:
    reader = DotStuffedReader()
    piece = reader.read(b"base64\r\n" * 10)
    assert piece.content is piece.wire


def test_an_empty_slice_gives_nothing() -> None:
    reader = DotStuffedReader()
    reader.read(b"a\r\n.")
    assert reader.read(b"") == (b"", b"", None)
    assert reader.read(b"\r\n") == (b"", b"", b"")


def test_all_short_strings_of_the_octets_that_matter() -> None:
    """Exhaustive: 5 octets, up to 6 long, in slices of one and as a whole."""
    for length in range(7):
        for octets in map(bytes, itertools.product(b"\r\n.\0a", repeat=length)):
            expected = plainly(octets)
            assert same(sliced(octets, max(1, length)), expected), octets
            assert same(sliced(octets, 1), expected), octets
