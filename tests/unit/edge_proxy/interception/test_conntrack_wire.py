"""Questions to the kernel and its answers, octet by octet."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.interception.conntrack_wire import (
    Answer,
    Flow,
    Malformed,
    parse_answer,
    render_question,
)
from smtpgated_contracts.values.mail import Endpoint

pytestmark = pytest.mark.skipif(sys.byteorder != "little", reason="samples are little-endian")

V4 = Flow(Endpoint("10.71.3.2", 2525), Endpoint("10.71.1.2", 39996))
V6 = Flow(Endpoint("fd71:3::2", 2525), Endpoint("fd71:1::2", 53264))

QUESTION_V4 = bytes.fromhex(
    "48000000 0101 0100 07000000 00000000"  # 72 octets, GET of ctnetlink, REQUEST, 7
    "02 00 0000"  # AF_INET
    "3400 0280"  # CTA_TUPLE_REPLY
    "1400 0180  0800 0100 0a470302  0800 0200 0a470102"
    "1c00 0280  0500 0100 06000000  0600 0200 09dd0000  0600 0300 9c3c0000"
)
QUESTION_V6 = bytes.fromhex(
    "60000000 0101 0100 08000000 00000000"
    "0a 00 0000"
    "4c00 0280"
    "2c00 0180  1400 0300 fd710003000000000000000000000002"
    "           1400 0400 fd710001000000000000000000000002"
    "1c00 0280  0500 0100 06000000  0600 0200 09dd0000  0600 0300 d0100000"
)
# What a kernel says first of an entry; then come reply tuple, status, timeout …
ENTRY_V4 = bytes.fromhex(
    "50000000 0001 0000 07000000 d2040000"
    "02 00 0000"
    "3400 0180"
    "1400 0180  0800 0100 0a470102  0800 0200 0a470202"
    "1c00 0280  0500 0100 06000000  0600 0200 9c3c0000  0600 0300 00190000"
    "0800 0300 0000018e"
)
REFUSED = bytes.fromhex("24000000 0200 0000 07000000 00000000 feffffff") + bytes(16)


@pytest.mark.parametrize(
    ("sequence", "flow", "octets"), [(7, V4, QUESTION_V4), (8, V6, QUESTION_V6)]
)
def test_a_question_names_the_reply_tuple(sequence: int, flow: Flow, octets: bytes) -> None:
    assert render_question(sequence, flow) == octets


def test_a_question_of_two_families_is_none() -> None:
    with pytest.raises(ValueError, match="two families"):
        render_question(1, Flow(V4.source, V6.destination))


def test_an_entry_tells_the_original() -> None:
    original = Flow(Endpoint("10.71.1.2", 39996), Endpoint("10.71.2.2", 25))
    assert parse_answer(ENTRY_V4) == Answer(7, 0, original)


def test_an_entry_of_ipv6_tells_the_original() -> None:
    entry = bytearray(QUESTION_V6)
    entry[4:8], entry[22:24] = bytes.fromhex("00010000"), bytes.fromhex("0180")
    assert parse_answer(bytes(entry)) == Answer(8, 0, V6)


def test_a_refusal_is_an_error_number() -> None:
    assert parse_answer(REFUSED) == Answer(7, 2, None)


@pytest.mark.parametrize("length", range(len(ENTRY_V4)))
def test_a_piece_of_an_answer_is_malformed(length: int) -> None:
    with pytest.raises(Malformed):
        parse_answer(ENTRY_V4[:length])


@pytest.mark.parametrize(
    ("at", "octet", "why"),
    [
        (4, 9, "kind"),
        (52, 17, "not TCP"),
        (24, 0, "longer than its place"),
        (24, 200, "longer than its place"),
        (30, 9, "both of its ends"),
    ],
)
def test_an_answer_that_is_none(at: int, octet: int, why: str) -> None:
    wrong = bytearray(ENTRY_V4)
    wrong[at] = octet
    with pytest.raises(Malformed, match=why):
        parse_answer(bytes(wrong))


@given(st.binary(max_size=200), st.integers(0, 79), st.integers(0, 255))
def test_whatever_comes_is_an_answer_or_malformed(octets: bytes, at: int, octet: int) -> None:
    changed = bytearray(ENTRY_V4)
    changed[at] = octet
    for each in (octets, bytes(changed), ENTRY_V4[:at] + octets):
        try:
            parse_answer(each)
        except Malformed:
            continue
