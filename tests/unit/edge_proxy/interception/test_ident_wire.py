"""Question and answer of the patched ident daemon, octet by octet."""

import pytest

from edge_proxy.interception.ident_wire import (
    LONGEST_ANSWER,
    Origin,
    parse_answer,
    render_question,
)
from edge_proxy.interception.malformed import Malformed
from smtpgated_contracts.values.mail import Endpoint

SEEN = b"58018 , 9190 : ORIGIN : 127.0.0.1 : 2525 : abc/def\r\n"


def parsed(answer: bytes) -> Origin | None:
    return parse_answer(answer, 58018, 9190)


def test_the_question_is_the_old_programs() -> None:
    assert render_question(58018, 9190) == b"58018 , 9190\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        SEEN,
        SEEN.rstrip(),
        SEEN.replace(b"\r", b""),
        b"58018,9190:ORIGIN:127.0.0.1:2525:abc/def",
        b"  58018\t,  9190 :ORIGIN :  127.0.0.1:2525 : abc/def \t\r\n",
        b"058018 , 9190 : ORIGIN : 127.0.0.1 : 02525 : abc/def\r\n"[1:],
    ],
)
def test_blanks_are_free(answer: bytes) -> None:
    assert parsed(answer) == Origin(Endpoint("127.0.0.1", 2525), b"abc/def")


def test_an_identity_may_hold_colons_and_blanks() -> None:
    answer = parsed(b"58018 , 9190 : ORIGIN : 192.0.2.25 : 25 : a b : c\r\n")
    assert answer == Origin(Endpoint("192.0.2.25", 25), b"a b : c")


def test_an_error_is_that_the_router_does_not_know() -> None:
    assert parsed(b"58018 , 9190 : ERROR : NO-USER\r\n") is None
    assert parsed(b"58018 , 9190 : ERROR :\r\n") is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n",
        SEEN[:-15],
        b"58019 , 9190 : ORIGIN : 127.0.0.1 : 2525 : abc\r\n",
        b"58018 , 9191 : ORIGIN : 127.0.0.1 : 2525 : abc\r\n",
        b"9190 , 58018 : ORIGIN : 127.0.0.1 : 2525 : abc\r\n",
        b"58018 , 9190 : USERID : UNIX : root\r\n",
        b"58018 , 9190 : ORIGIN : 127.0.0.256 : 2525 : abc\r\n",
        b"58018 , 9190 : ORIGIN : 127.0.0 : 2525 : abc\r\n",
        b"58018 , 9190 : ORIGIN : 127.0.0.1.5 : 2525 : abc\r\n",
        b"58018 , 9190 : ORIGIN : 127.0.0.01 : 2525 : abc\r\n",
        b"58018 , 9190 : ORIGIN : ::1 : 2525 : abc\r\n",
        b"58018 , 9190 : ORIGIN : far.example : 2525 : abc\r\n",
        b"58018 , 9190 : ORIGIN : 127.0.0.1 : 65536 : abc\r\n",
        b"58018 , 9190 : ORIGIN : 127.0.0.1 : 0 : abc\r\n",
        b"58018 , 9190 : ORIGIN : 127.0.0.1 : -5 : abc\r\n",
        b"58018 , 9190 : ORIGIN : 127.0.0.1 : 2525 : \r\n",
        b"58018 , 9190 : ORIGIN : 127.0.0.1 : 2525\r\n",
        b"58018 , 9190 : ORIGIN : 127.0.0.1 : 2525 : a\0b\r\n",
        SEEN + b"x",
        SEEN + SEEN,
        b"x" + SEEN,
        b"58018 , 9190 : origin : 127.0.0.1 : 2525 : abc\r\n",
        "५८०१८ , 9190 : ORIGIN : 127.0.0.1 : 2525 : abc\r\n".encode(),
        b"58018 , 9190 : ORIGIN : 127.0.0.1 : 2525 : " + b"x" * LONGEST_ANSWER,
        b"1" * 900 + b" , 9190 : ORIGIN : 127.0.0.1 : 2525 : abc\r\n",
    ],
)
def test_everything_else_is_malformed(answer: bytes) -> None:
    with pytest.raises(Malformed):
        parsed(answer)
