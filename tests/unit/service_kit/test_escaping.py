import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.escaping import for_log, text_for_log

_ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b"me.example", "me.example"),
        (b"", ""),
        ("jürgen@例え.example".encode(), "jürgen@例え.example"),
        (b"a\r\nlevel=info", r"a\x0d\x0alevel=info"),
        (b"\x1b[2J", r"\x1b[2J"),
        (b"\x00\x7f\t", r"\x00\x7f\x09"),
        (b"C:\\", r"C:\\"),
        (b"\\x0d", r"\\x0d"),
        (b"\xff\xfe", r"\xff\xfe"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),
        ("\x85".encode(), r"\u0085"),
        ("\u202emoc.live\u2069".encode(), r"\u202emoc.live\u2069"),
        ("\u2028\u00a0\u200b\ufeff".encode(), r"\u2028\u00a0\u200b\ufeff"),
        ("\U000e0041".encode(), r"\U000e0041"),
    ],
)
def test_octets_are_shown_as_one_safe_line(octets: bytes, shown: str) -> None:
    assert for_log(octets) == shown


def test_what_is_cut_is_counted() -> None:
    assert for_log(b"a" * 10, limit=4) == r"aaaa\[6 more]"
    assert for_log(b"aaaa", limit=4) == "aaaa"
    assert text_for_log("é" * 5, limit=4) == r"éééé\[1 more]"


def test_a_cut_inside_a_character_shows_its_octets() -> None:
    assert for_log("é".encode(), limit=1) == r"\xc3\[1 more]"


def _is_safe(shown: str) -> bool:
    return (
        all(unicodedata.category(each)[0] not in "CZ" or each == " " for each in shown)
        and "\n" not in shown
    )


@given(st.binary(max_size=200), st.integers(0, 64))
def test_no_octets_pass_a_control_or_a_bidi_character(octets: bytes, limit: int) -> None:
    assert _is_safe(for_log(octets, limit))


@given(_ANY_TEXT)
def test_no_text_passes_a_control_or_a_bidi_character(text: str) -> None:
    assert _is_safe(text_for_log(text, limit=10_000))


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_different_octets_are_shown_differently(one: bytes, other: bytes) -> None:
    assert (for_log(one) == for_log(other)) == (one == other)
