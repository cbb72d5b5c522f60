import pytest

from edge_proxy.smtp.capabilities import arguments_of, keyword_of, offered, offering
from edge_proxy.smtp.replies import Reply, ReplyReader

ALLOWED = frozenset({b"SIZE", b"AUTH", b"HELP"})


def _reply(octets: bytes) -> Reply:
    reader = ReplyReader()
    reader.feed(octets)
    reply = reader.take_reply()
    assert reply is not None
    return reply


@pytest.mark.parametrize(
    ("line", "keyword"),
    [
        (b"PIPELINING", b"PIPELINING"),
        (b"size 1000", b"SIZE"),
        (b"AUTH PLAIN LOGIN", b"AUTH"),
        (b"AUTH=PLAIN LOGIN", b"AUTH"),
        (b"X-FOO=BAR", b"X-FOO"),
        (b"LIMITS RCPTMAX=20", b"LIMITS"),
        (b"", b""),
        (b" SIZE", b""),
    ],
)
def test_a_keyword_is_the_first_word(line: bytes, keyword: bytes) -> None:
    assert keyword_of(line) == keyword


def test_the_first_line_offers_nothing() -> None:
    assert offered(_reply(b"250-SIZE mx\r\n250-Help\r\n250 AUTH=LOGIN\r\n")) == {b"HELP", b"AUTH"}
    assert offered(_reply(b"250 CHUNKING\r\n")) == frozenset()


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"250 mx\r\n", b"250 mx\r\n"),
        (b"250-mx\r\n250 SIZE 9\r\n", b"250-mx\r\n250 SIZE 9\r\n"),
        (b"250-mx\r\n250 CHUNKING\r\n", b"250 mx\r\n"),
        (b"250-mx\r\n250-SIZE\r\n250 CHUNKING\r\n", b"250-mx\r\n250 SIZE\r\n"),
        (b"250-mx\r\n250-CHUNKING\r\n250 help\r\n", b"250-mx\r\n250 help\r\n"),
        (b"250-mx\r\n250-SIZE\r\n250-X\r\n250 HELP\r\n", b"250-mx\r\n250-SIZE\r\n250 HELP\r\n"),
        (b"250-mx\r\n250 \r\n", b"250 mx\r\n"),
    ],
)
def test_whole_lines_go_and_the_list_stays_well_formed(octets: bytes, expected: bytes) -> None:
    reply = _reply(octets)
    kept = [line for line in reply.lines[1:] if keyword_of(line) in ALLOWED]
    assert offering(reply, kept) == expected


def test_what_stays_stays_as_it_was_sent() -> None:
    octets = b"250-mx  greets you\r\n250-aUTH=plain  X\r\n250-CHUNKING\r\n250 SIZE\t9\r\n"
    reply = _reply(octets)
    assert offering(reply, [reply.lines[1], reply.lines[3]]) == (
        b"250-mx  greets you\r\n250-aUTH=plain  X\r\n250 SIZE\t9\r\n"
    )


def test_a_reply_with_nothing_to_mask_is_the_same_object() -> None:
    reply = _reply(b"250-mx\r\n250 SIZE\r\n")
    assert offering(reply, [b"SIZE"]) is reply.octets


def test_the_words_behind_a_keyword_are_its_arguments() -> None:
    reply = _reply(b"250-mx\r\n250-XCLIENT NAME  ADDR\r\n250 SIZE\r\n")
    assert arguments_of(reply, b"XCLIENT") == (b"NAME", b"ADDR")
    assert arguments_of(reply, b"SIZE") == arguments_of(reply, b"DSN") == ()
