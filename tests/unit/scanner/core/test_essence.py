"""What is left out of content before it is digested, and that nothing else ever is."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scanner.core.content import Content
from scanner.core.essence import HEADER_OCTETS, LEFT_OUT, MOST_FIELDS, essence

HEADER = (
    b"Received: from client (client [192.0.2.1])\r\n\tby mx.example; Mon, 23 Nov 2026 10:00:00\r\n"
    b"From: a@a.example\r\n"
    b"To: b1@b.example,\r\n b2@b.example\r\n"
    b"Subject: minutes\r\n"
    b"Message-ID: <1@a.example>\r\n"
    b"Content-Type: text/plain\r\n"
)
BODY = b"\r\nTo: not a field\r\n\r\nDate: nor this\r\n"


def joined(content: Content) -> bytes:
    return b"".join(content.pieces)


def of(octets: bytes) -> bytes:
    return joined(essence(Content.of(octets)))


def test_values_that_differ_from_copy_to_copy_are_left_out_and_their_names_stay() -> None:
    assert of(HEADER + BODY) == (
        b"Received: \r\nFrom: a@a.example\r\nTo: \r\nSubject: minutes\r\n"
        b"Message-ID: \r\nContent-Type: text/plain\r\n" + BODY
    )


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_names_are_recognised_in_any_case_and_without_a_blank(name: bytes) -> None:
    written = name.upper()
    assert of(written + b":x\r\nSubject: s\r\n\r\n") == written + b":\r\nSubject: s\r\n\r\n"


def test_copies_to_different_people_have_one_essence() -> None:
    def copy(number: int) -> bytes:
        to = b"To: %d@b.example\r\n" % number
        return to + b"Date: %d\r\nSubject: worm\r\n\r\nbody\r\n" % number

    assert len({of(copy(number)) for number in range(100)}) == 1


def test_the_body_is_not_copied() -> None:
    content = b"To: a\r\n\r\n" + b"x" * 1000
    pieces = essence(Content.of(content)).pieces
    assert all(isinstance(piece, memoryview) and piece.obj is content for piece in pieces)


def test_large_pieces_behind_the_header_stay_the_same_objects() -> None:
    first, *others = b"To: a\r\nSubject: s\r\n\r\n" + b"x" * HEADER_OCTETS, b"y" * 9, b"z" * 9
    pieces = essence(Content.of(first, *others)).pieces
    assert pieces[-2] is others[0]
    assert pieces[-1] is others[1]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\r\n",
        b"\r\n\r\nTo: a\r\n\r\n",
        b"To: a\r\n",
        b"To: a\r\nno field\r\n\r\nbody",
        b"To: a\r\n\tcontinued\r\n \t\r\n\r\nbody",
        b"To: a\nSubject: s\r\n\r\nbody",
        b"To: a\rb\r\n\r\nbody",
        b"To: a\0b\r\n\r\nbody",
        b"To: a\x0bb\r\n\r\nbody",
        *(b"To: a\r\nSubject: a%sb\r\n\r\nbody" % each for each in (b"\0", b"\r", b"\n", b"\x7f")),
        b"To: a\x85b\r\n\r\nbody",
        b"To: \xc3\xa9@b.example\r\n\r\nbody",
        b"To : a\r\n\r\nbody",
        b"T\xc3\xb6: a\r\nTo: a\r\n\r\nbody".replace(b"\xc3\xb6", b"\x00"),
        b" To: a\r\n\r\nbody",
        b": a\r\nTo: a\r\n\r\nbody",
        b"To: " + b"a" * 1000 + b"\r\n\r\nbody",
        b"To: a\r\n" + b" b\r\n" * HEADER_OCTETS + b"\r\nbody",
        b"To: a\r\n" * (MOST_FIELDS + 1) + b"\r\nbody",
        b"From me Mon Nov 23 10:00:00 2026\r\nTo: a\r\n\r\nbody",
    ],
)
def test_anything_odd_in_the_header_makes_all_of_it_the_essence(octets: bytes) -> None:
    content = Content.of(octets)
    assert essence(content) is content


def test_as_many_fields_as_are_allowed_are_left_out() -> None:
    assert of(b"To: a\r\n" * MOST_FIELDS + b"\r\n") == b"To: \r\n" * MOST_FIELDS + b"\r\n"


def test_other_values_may_hold_what_they_like() -> None:
    octets = b"To: a\r\nSubject: \xc3\xa9\r\n\r\n"
    assert of(octets) == b"To: \r\nSubject: \xc3\xa9\r\n\r\n"


@pytest.mark.parametrize("at", [1, 3, 40, len(HEADER) + 1, len(HEADER) + 3])
def test_it_does_not_matter_where_content_was_cut(at: int) -> None:
    octets = HEADER + BODY + b"x" * 100_000
    cut = Content.of(octets[:at], octets[at : at + 7], octets[at + 7 :])
    assert joined(essence(cut)) == of(octets)


WORDS = (b"To", b"Subject", b":", b": ", b" ", b"\t", b"\r\n", b"\r", b"\n", b"\0", b"\xff", b"a")
FIELDS = (b"To: a\r\n", b"Date:b\r\n", b"cc: a,\r\n b\r\n", b"Subject: s\r\n", b"Bcc: \x80\r\n")
HEADERS = st.lists(st.sampled_from(WORDS + FIELDS), max_size=20).map(b"".join)


@given(HEADERS, HEADERS, st.lists(st.integers(0, 60), max_size=3))
@example(b"To:\r\n a\r\n\r\n", b"To: a\r\n\r\n", [4])
def test_whoever_wants_to_hide_something_can_hide_it_in_plain_values_of_such_fields_alone(
    beginning: bytes, rest: bytes, cuts: list[int]
) -> None:
    octets = beginning + b"\r\n" + rest
    at = [0, *sorted(cuts), len(octets)]
    pieces = [octets[start:end] for start, end in pairwise(at)]
    kept = joined(essence(Content.of(*pieces)))
    if kept == octets:
        return
    header, blank, body = octets.partition(b"\r\n\r\n")
    header_kept = kept.removesuffix(blank + body)
    assert len(header_kept) == len(kept) - len(blank + body)
    for field, field_kept in zip(fields(header), fields(header_kept), strict=True):
        name, _, value = field.partition(b":")
        if name.lower() in LEFT_OUT:
            assert field_kept.rstrip(b" ") == name + b":"
            assert all(octet in b"\t\r\n" or 32 <= octet < 127 for octet in value)
        else:
            assert field_kept == field


def fields(header: bytes) -> list[bytes]:
    """Each with the lines that continue it (RFC 5322 §2.2.3)."""
    return re.split(rb"\r\n(?![ \t])", header)
