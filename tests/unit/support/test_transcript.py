"""The format of transcripts: what is written stands for exactly the octets it came from."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.transcript import TranscriptError, lines_of, octets_of, parsed

DRAMATIC = st.lists(
    st.sampled_from((b"\r\n", b"\r", b"\n", b"\\", b"(", b" ", b"{", b"f", b"f" * 50, b"\xff"))
    | st.binary(max_size=3)
).map(b"".join)


@given(DRAMATIC)
@example(b"\xff" + b"f" * 50)
@example(b"(close)\r\n")
@example(b"trailing \r\n")
@example(b"\\")
def test_octets_come_back(octets: bytes) -> None:
    lines = lines_of(octets)
    assert b"".join(map(octets_of, lines)) == octets
    assert all(line.isascii() and line == line.rstrip() for line in lines)
    assert not any(line.startswith("(") for line in lines)


@pytest.mark.parametrize(
    ("line", "octets"),
    [
        ("NOOP", b"NOOP\r\n"),
        ("", b"\r\n"),
        ("NOOP\\", b"NOOP"),
        ("\\", b""),
        ("\\\\", b"\\\r\n"),
        ("\\\\\\", b"\\"),
        ("a\\r\\nb\\0", b"a\r\nb\0\r\n"),
        ("\\xff\\x0a", b"\xff\n\r\n"),
        ("\\{x*3}y", b"xxxy\r\n"),
    ],
)
def test_a_written_line_stands_for_octets(line: str, octets: bytes) -> None:
    assert octets_of(line) == octets


TEXT = """\
# A comment.
given   a session past EHLO

D> NOOP
 + half\\
      U< NOOP
      note something
U> (lost)
D>
      D< 421 bye
       + 250 (not a happening)
      D< (close)
"""


def test_a_file_comes_back_as_it_was() -> None:
    assert parsed(TEXT).rendered() == TEXT


def test_a_step_knows_what_was_sent_and_what_happened() -> None:
    transcript = parsed(TEXT)
    first, second, third = transcript.steps
    assert transcript.givens == ["a session past EHLO"]
    assert (first.side, first.octets, first.happening) == ("D", b"NOOP\r\nhalf", None)
    assert first.sent("U") == b"NOOP\r\n"
    assert first.sent("D") == b""
    assert (second.side, second.happening) == ("U", "lost")
    assert third.octets == b"\r\n"
    assert third.sent("D") == b"421 bye\r\n250 (not a happening)\r\n"


@pytest.mark.parametrize(
    "line", ["NOOP", "X> NOOP", " + early", "      D< early", "D> n\u00f6", "  D< half-way in"]
)
def test_a_line_that_is_nothing_is_an_error_that_names_it(line: str) -> None:
    with pytest.raises(TranscriptError, match="line 2"):
        parsed(f"# A comment.\n{line}")
