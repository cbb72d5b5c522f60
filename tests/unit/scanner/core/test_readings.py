"""Encodings, well and badly made: every way a client could read them is read."""

import base64
import binascii
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.core.budget import Budget, BudgetExceeded, Limits
from scanner.core.readings import base64_readings, readings
from tests.unit.scanner.core.inside import ample

PAYLOAD = b"an evil payload\0 of some length, so that there are several lines of it \xff\xfe" * 3
BASE64 = b"content-transfer-encoding: base64\r\n"
QUOTED = b"content-transfer-encoding: quoted-printable\r\n"


def read(header: bytes, body: bytes) -> list[bytes]:
    return list(readings(header, body, 0, len(body), ample(), 0))


def uuencode(octets: bytes) -> bytes:
    lines = [octets[at : at + 45] for at in range(0, len(octets), 45)]
    return b"begin 644 x.exe\n" + b"".join(map(binascii.b2a_uu, lines)) + b"`\nend\n"


def test_a_body_without_encoding_stands_for_itself() -> None:
    assert read(b"content-type: text/plain\r\n", PAYLOAD) == []


def test_base64_is_decoded() -> None:
    assert read(BASE64, base64.encodebytes(PAYLOAD)) == [PAYLOAD]


def test_quoted_printable_is_decoded() -> None:
    assert read(QUOTED, quopri.encodestring(PAYLOAD)) == [PAYLOAD]


def test_both_labels_are_two_readings() -> None:
    body = base64.encodebytes(PAYLOAD)
    assert PAYLOAD in read(BASE64 + QUOTED, body)
    assert len(read(BASE64 + QUOTED, body)) == 2


@pytest.mark.parametrize("garbage", [b"!", b"\0", b"\r\n \t", b"-_", "é".encode(), b"<!-- -->"])
def test_garbage_between_letters_does_not_stop_base64(garbage: bytes) -> None:
    letters = base64.b64encode(PAYLOAD)
    body = garbage.join(letters[at : at + 1] for at in range(len(letters)))
    assert read(BASE64, body) == [PAYLOAD]


@pytest.mark.parametrize("cut", [1, 2])
def test_missing_padding_loses_nothing(cut: int) -> None:
    octets = PAYLOAD[: len(PAYLOAD) // 3 * 3 - cut]
    assert base64.b64encode(octets).endswith(b"=")
    assert read(BASE64, base64.b64encode(octets).rstrip(b"=")) == [octets]


def test_a_lone_last_letter_is_left_out() -> None:
    octets = PAYLOAD[:30]
    assert read(BASE64, base64.b64encode(octets) + b"A") == [octets]


def test_pieces_that_were_padded_each_are_joined() -> None:
    body = base64.b64encode(PAYLOAD[:10]) + b"\r\n" + base64.b64encode(PAYLOAD[10:])
    assert b"=" in body.rstrip(b"=")
    assert PAYLOAD in read(BASE64, body)


def test_padding_strewn_in_is_ignored_in_another_reading() -> None:
    letters = base64.b64encode(PAYLOAD)
    assert PAYLOAD in read(BASE64, letters[:7] + b"=" + letters[7:])


def test_uuencode_in_plain_text_is_decoded_without_any_label() -> None:
    body = b"Hello,\r\nsee below.\r\n" + uuencode(PAYLOAD) + b"bye\r\n"
    assert read(b"", body) == [PAYLOAD]


def test_every_block_of_uuencode_is_decoded_and_one_without_end() -> None:
    body = uuencode(b"first") + b"text\n" + uuencode(PAYLOAD).removesuffix(b"`\nend\n")
    assert read(b"", body) == [b"first", PAYLOAD]


def test_a_damaged_line_of_uuencode_does_not_lose_the_others() -> None:
    lines = uuencode(PAYLOAD).splitlines(keepends=True)
    damaged = b"".join([*lines[:2], b"M\xff\xff\n", *lines[2:]])
    (reading,) = read(b"", damaged)
    assert reading.startswith(PAYLOAD[:45])
    assert reading.endswith(PAYLOAD[45:])


def test_lines_of_uuencode_with_something_behind_are_read_as_they_say() -> None:
    lines = uuencode(PAYLOAD).splitlines()
    assert read(b"", b"X\n".join(lines) + b"\n") == [PAYLOAD]


def test_begin_base64_is_decoded() -> None:
    body = b"begin-base64 644 x\n" + base64.encodebytes(PAYLOAD) + b"====\n"
    assert read(b"", body) == [PAYLOAD]


def test_only_the_span_that_is_the_body_is_read() -> None:
    before, after = uuencode(b"before"), uuencode(b"after")
    octets = before + uuencode(b"within") + after
    span = len(before), len(octets) - len(after)
    assert list(readings(b"", octets, *span, ample(), 0)) == [b"within"]


def test_what_decoding_makes_is_paid_for() -> None:
    budget = Budget(Limits(octets=100), lambda: False)
    with pytest.raises(BudgetExceeded):
        list(base64_readings(base64.b64encode(b"x" * 101), budget))
    swelling = b"begin 644 x\n" + b"M\n" * 3  # each stands for 45 octets
    with pytest.raises(BudgetExceeded):
        list(
            readings(b"", swelling, 0, len(swelling), Budget(Limits(octets=100), lambda: False), 0)
        )


def test_every_block_counts_as_a_part() -> None:
    body = b"begin 644 x\nend\n" * 11
    with pytest.raises(BudgetExceeded):
        list(readings(b"", body, 0, len(body), Budget(Limits(parts=10), lambda: False), 0))


@given(st.binary(), st.binary())
def test_no_octets_are_refused(header: bytes, body: bytes) -> None:
    read(header, body)
    read(BASE64 + QUOTED, body)
    read(b"", b"begin 644 x\n" + body)


@given(st.binary())
def test_whatever_base64_encodes_comes_back(octets: bytes) -> None:
    assert octets in read(BASE64, base64.encodebytes(octets))
