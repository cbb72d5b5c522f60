"""spamd's octets: what we ask, and what we make of every answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.core.replies import LARGEST_TEXT, ReplyMalformed
from scanner.core.spamd_wire import (
    LARGEST_BODY,
    LARGEST_HEAD,
    PongReader,
    SpamReply,
    SymbolsReader,
    symbols_request,
)
from tests.unit.scanner.core.replies_three_ways import read_three_ways


def judged(body: bytes, spam: bytes = b"True ; 15.3 / 5.0") -> bytes:
    return (
        b"SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\nSpam: %s\r\n\r\n" % (len(body), spam)
    ) + body


def test_a_request_names_the_length_and_the_user() -> None:
    assert symbols_request(42, "") == b"SYMBOLS SPAMC/1.5\r\nContent-length: 42\r\n\r\n"
    assert symbols_request(0, "mail+x@a.example") == (
        b"SYMBOLS SPAMC/1.5\r\nContent-length: 0\r\nUser: mail+x@a.example\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("octets", "reply"),
    [
        (judged(b"GTUBE,NO_RELAYS"), SpamReply(15.3, "GTUBE,NO_RELAYS")),
        (judged(b"", b"False ; 0.0 / 5.0"), SpamReply(0.0, "")),
        (judged(b"A\r\n", b"False ; -2.9 / 5.0"), SpamReply(-2.9, "A")),
        (judged(b"A", b"Yes ; 1000 / 5"), SpamReply(1000.0, "A")),
    ],
)
def test_a_score_and_its_symbols_are_read(octets: bytes, reply: SpamReply) -> None:
    assert read_three_ways(SymbolsReader, octets) == reply


def test_fields_may_come_in_any_order_and_others_beside_them() -> None:
    fields = b"spam: False ; 1.5 / 5.0\r\nX-Other: 1\r\ncontent-length: 3"
    octets = b"SPAMD/1.5 0 EX_OK\r\n" + fields + b"\r\n\r\nA,B"
    assert read_three_ways(SymbolsReader, octets) == SpamReply(1.5, "A,B")


def test_a_refusal_is_complete_with_its_line() -> None:
    refusal = b"SPAMD/1.0 76 Bad header line: (Content-Length mismatch)\r\n"
    assert read_three_ways(SymbolsReader, refusal) == SpamReply(
        refusal="76 Bad header line: (Content-Length mismatch)"
    )


def test_many_symbols_are_cut() -> None:
    reply = SymbolsReader().feed(judged(b"SYMBOL," * 1000))
    assert reply is not None
    assert len(reply.symbols) == LARGEST_TEXT


@pytest.mark.parametrize(
    "octets",
    [
        b"220 mx.example ESMTP\r\n",
        b"SPAMD/1.1 0 EX_OK\r\n\r\n",
        b"SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\n\r\n",
        b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 5 / 5\r\n\r\n",
        judged(b"", b"True ; nan / 5.0"),
        judged(b"", b"True ; inf / 5.0"),
        judged(b"", b"True ; 1e400 / 5.0"),
        judged(b"", b"Maybe ; 1 / 5.0"),
        judged(b"", b"False ; 0 / 5\r\nSpam: True ; 99 / 5"),
        b"SPAMD/1.1 0 EX_OK\r\nContent-length: -1\r\nSpam: True ; 5 / 5\r\n\r\n",
        b"SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\nSpam: True ; 5 / 5\r\n\r\n"
        % (LARGEST_BODY + 1),
    ],
)
def test_an_answer_that_is_none_is_malformed(octets: bytes) -> None:
    with pytest.raises(ReplyMalformed):
        SymbolsReader().feed(octets)


@pytest.mark.parametrize("beginning", [b"", b"SPAMD/1.1 0 EX_OK\r\n"])
def test_a_head_without_end_is_not_kept_for_ever(beginning: bytes) -> None:
    reader = SymbolsReader()
    with pytest.raises(ReplyMalformed):
        reader.feed(beginning + b"x" * (LARGEST_HEAD + 1))


@given(st.lists(st.sampled_from([*judged(b"A,B").splitlines(keepends=True), b"\0", b"\r\n"])))
def test_no_order_of_lines_makes_the_reader_fail_otherwise(lines: list[bytes]) -> None:
    reader = SymbolsReader()
    for line in lines:
        try:
            reply = reader.feed(line)
        except ReplyMalformed:
            return
        if reply is not None:
            assert reply.score == 15.3
            return


def test_a_pong_tells_the_version_of_the_protocol() -> None:
    assert read_three_ways(PongReader, b"SPAMD/1.5 0 PONG\r\n") == "1.5"


@pytest.mark.parametrize("octets", [b"SPAMD/1.5 76 no\r\n", b"OK\r\n", b"x" * (LARGEST_HEAD + 1)])
def test_what_is_no_pong_is_malformed(octets: bytes) -> None:
    with pytest.raises(ReplyMalformed):
        PongReader().feed(octets)
