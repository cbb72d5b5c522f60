"""mksd's octets: what we ask, and what we make of every answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.core.mksd_wire import LARGEST_LINE, FileReply, LineReader, scan_request
from scanner.core.replies import ReplyMalformed
from tests.unit.scanner.core.replies_three_ways import read_three_ways


def test_a_request_is_a_letter_a_path_and_a_line_end() -> None:
    assert scan_request("/var/spool/x/123.456") == b"S/var/spool/x/123.456\n"


@pytest.mark.parametrize(
    ("octets", "reply"),
    [
        (b"OK\n", FileReply()),
        (b"OK /var/spool/x\n", FileReply()),
        (b"CLN Win32.Worm /var/spool/x\n", FileReply()),
        (b"DEL Win32.Worm /var/spool/x\n", FileReply()),
        (b"VIR Win32.Worm /var/spool/x\n", FileReply(virus="Win32.Worm")),
        (b"VIR Win32.Worm\n", FileReply(virus="Win32.Worm")),
        (b"VIR\n", FileReply(virus="unnamed")),
        (b"ERR cannot open file\n", FileReply(refusal="cannot open file")),
        (b"ERR\n", FileReply(refusal="no reason given")),
        (b"VIR a\x00b\x1b[31m x\n", FileReply(virus="a?b?[31m")),
    ],
)
def test_answers(octets: bytes, reply: FileReply) -> None:
    assert read_three_ways(LineReader, octets) == reply


@pytest.mark.parametrize(
    "octets", [b"\n", b"ok\n", b"OKAY\n", b" OK\n", b"VIRUS x\n", b"FOO bar\n", b"OK\r\n"]
)
def test_anything_else_is_no_answer(octets: bytes) -> None:
    with pytest.raises(ReplyMalformed):
        LineReader().feed(octets)


def test_a_line_without_end_is_bounded() -> None:
    reader = LineReader()
    assert reader.feed(b"VIR " + b"x" * (LARGEST_LINE - 4)) is None
    with pytest.raises(ReplyMalformed):
        reader.feed(b"x")


@given(st.binary(max_size=200))
def test_whatever_comes_is_an_answer_malformed_or_not_whole(octets: bytes) -> None:
    reader = LineReader()
    try:
        reply = reader.feed(octets)
    except ReplyMalformed:
        return
    assert (reply is not None) == (b"\n" in octets)
