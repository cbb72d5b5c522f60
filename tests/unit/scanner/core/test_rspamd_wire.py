"""rspamd's octets: what we ask, and what we make of every answer."""

import json

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.core.replies import ReplyMalformed
from scanner.core.rspamd_wire import (
    LARGEST_BODY,
    LARGEST_HEAD,
    LARGEST_VALUE,
    HttpReader,
    HttpReply,
    SpamOpinion,
    check_request,
    field,
    opinion,
    ping_request,
)
from tests.unit.scanner.core.replies_three_ways import read_three_ways

SPAM = {
    "is_skipped": False,
    "score": 16.5,
    "required_score": 15.0,
    "action": "reject",
    "symbols": {
        "MILD": {"name": "MILD", "score": 1.5},
        "GOOD": {"name": "GOOD", "score": -1.0},
        "WORST": {"name": "WORST", "score": 15.0},
    },
    "messages": {},
}


def http(body: bytes, status: str = "200 OK", *more: str) -> bytes:
    fields = ("Connection: close", "Server: rspamd/3.4", f"Content-Length: {len(body)}", *more)
    return f"HTTP/1.1 {status}\r\n".encode() + ("\r\n".join(fields).encode() + b"\r\n\r\n" + body)


def reply_of(said: object, status: int = 200) -> HttpReply:
    return HttpReply(status, "rspamd/3.4", json.dumps(said).encode())


def test_a_request_as_it_travels() -> None:
    fields = [field("From", b"<a@b.example>"), field("Rcpt", b"<c@d.example>")]
    assert check_request(5, fields) == (
        b"POST /checkv2 HTTP/1.1\r\nHost: rspamd\r\nFrom: <a@b.example>\r\n"
        b"Rcpt: <c@d.example>\r\nContent-Length: 5\r\n\r\n"
    )
    assert ping_request() == b"GET /ping HTTP/1.1\r\nHost: rspamd\r\n\r\n"


@given(st.binary(max_size=1000))
def test_no_stranger_ends_a_field_or_makes_one(value: bytes) -> None:
    request = check_request(0, [field("Helo", value)])
    server = h11.Connection(h11.SERVER)
    server.receive_data(request)
    event = server.next_event()
    assert isinstance(event, h11.Request)
    names = [name for name, _ in event.headers]
    assert names == [b"host", b"helo", b"content-length"]
    assert len(dict(event.headers)[b"helo"]) <= LARGEST_VALUE


def test_a_reply_is_read_however_it_is_cut() -> None:
    octets = http(b"pong\r\n")
    assert read_three_ways(HttpReader, octets) == HttpReply(200, "rspamd/3.4", b"pong\r\n")


def test_a_reply_in_chunks_is_read() -> None:
    octets = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    assert read_three_ways(HttpReader, octets) == HttpReply(200, "", b"abc")


@pytest.mark.parametrize(
    "octets",
    [
        b"SPAMD/1.1 0 EX_OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * (LARGEST_HEAD + 1),
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGEST_BODY + 1)
        + b"x" * (LARGEST_BODY + 1),
    ],
)
def test_nonsense_is_malformed(octets: bytes) -> None:
    with pytest.raises(ReplyMalformed):
        HttpReader().feed(octets)


def test_an_opinion_names_the_worst_first() -> None:
    assert opinion(reply_of(SPAM)) == SpamOpinion(16.5, "reject", "WORST,MILD,GOOD")


@pytest.mark.parametrize(
    ("said", "status", "refusal"),
    [
        ({"error": "no such thing"}, 404, "404 no such thing"),
        ({"error": "cannot"}, 200, "200 cannot"),
        ({}, 503, "503 "),
        (
            {**SPAM, "action": "soft reject", "messages": {"smtp_message": "Try again"}},
            200,
            "soft reject: Try again",
        ),
    ],
)
def test_what_is_no_judgement_is_a_refusal(said: object, status: int, refusal: str) -> None:
    assert opinion(reply_of(said, status)).refusal == refusal


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"pong",
        b"[]",
        b"[" * 100_000,
        b'{"score": "5", "action": "reject", "symbols": {}}',
        b'{"score": NaN, "action": "reject", "symbols": {}}',
        b'{"score": true, "action": "reject", "symbols": {}}',
        b'{"score": 5.0, "symbols": {}}',
        b'{"score": 5.0, "action": "reject"}',
        b'{"score": 5.0, "action": "reject", "symbols": []}',
    ],
)
def test_an_answer_that_does_not_say_enough_is_malformed(body: bytes) -> None:
    with pytest.raises(ReplyMalformed):
        opinion(HttpReply(200, "", body))
