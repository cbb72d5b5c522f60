"""Content in pieces: all of it, in order, never copied."""

from hypothesis import given
from hypothesis import strategies as st

from scanner.core.content import Content


def test_empty_pieces_are_not_kept() -> None:
    content = Content.of(b"", b"a", memoryview(b""), memoryview(b"bc"))
    assert content.pieces == (b"a", b"bc")
    assert content.size_octets == 3
    assert Content.of(b"").pieces == ()


@given(st.lists(st.binary(max_size=40)), st.integers(1, 16))
def test_slices_are_the_content_and_none_is_longer(pieces: list[bytes], most: int) -> None:
    slices = list(Content.of(*pieces).slices(most))
    assert b"".join(slices) == b"".join(pieces)
    assert all(0 < len(each) <= most for each in slices)


def test_a_slice_is_a_view_of_its_piece() -> None:
    small, large = b"x" * 10, b"y" * 25
    first, *others = Content.of(small, large).slices(10)
    assert first is small
    assert [each.obj for each in others if isinstance(each, memoryview)] == [large] * 3
