import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulebook.sliding import PARTS, Members, Window, part_ms

WINDOWS = st.sampled_from([1, 11, 12, 1000, 59_999])
STEPS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 5)), max_size=60)


@given(WINDOWS, st.integers(1, 10), STEPS)
def test_in_no_stretch_of_the_windows_length_is_more_than_the_limit(
    window_ms: int, limit: int, steps: list[tuple[int, int]]
) -> None:
    window, now_ms = Window(), 10**12
    let_in: list[tuple[int, int]] = []
    for step_ms, amount in steps:
        now_ms += step_ms
        if window.used(window_ms, now_ms) + amount <= limit:
            window.spend(amount, window_ms, now_ms)
            let_in.append((now_ms, amount))
    for end_ms, _ in let_in:
        stretch = [each for at_ms, each in let_in if end_ms - window_ms < at_ms <= end_ms]
        assert sum(stretch) <= limit


@given(WINDOWS, st.integers(1, 10))
def test_a_limit_that_is_spent_is_free_again_one_part_later_than_the_window(
    window_ms: int, limit: int
) -> None:
    window, now_ms = Window(), 10**12
    window.spend(limit, window_ms, now_ms)
    assert window.used(window_ms, now_ms + window_ms - 1) == limit
    assert window.used(window_ms, now_ms + (PARTS + 1) * part_ms(window_ms)) == 0


def test_what_is_given_back_never_makes_more_than_there_was() -> None:
    window = Window()
    window.spend(3, 1000, 5000)
    window.spend(-5, 1000, 5010)
    assert window.used(1000, 5020) == 0


def test_a_name_counts_once_and_is_forgotten_after_the_window() -> None:
    members = Members()
    for at_ms in (0, 400, 900):
        members.spend("a", at_ms)
    members.spend("b", 500)
    assert members.used(1000, 900) == 2
    assert members.used(1000, 1500) == 1
    assert members.has("a")
    assert members.used(1000, 1900) == 0


@pytest.mark.parametrize("window_ms", [1, 5, 12, 13, 3_600_000])
def test_parts_cover_the_window(window_ms: int) -> None:
    assert PARTS * part_ms(window_ms) >= window_ms
