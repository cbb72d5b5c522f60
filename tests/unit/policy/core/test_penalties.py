from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.core.penalties import MOST_POINTS, Points, penalty_lock, stricter
from rulebook.rates import Penalty
from smtpgated_contracts.values.policy import Lock, Stage, StageUntil

HOUR_MS = 3_600_000
RULES = Penalty(
    half_life_s=3600,
    stages={Stage.WATCH: 10, Stage.THROTTLE: 25, Stage.REQUIRE_AUTH: 50, Stage.REFUSE: 100},
)
SUBJECT = "address:192.0.2.1"
NOW = 1_700_000_000_000


def test_points_halve_with_every_half_life() -> None:
    points = Points(80.0, NOW)
    assert [points.at(NOW + hours * HOUR_MS, HOUR_MS) for hours in (0, 1, 2, 3)] == [80, 40, 20, 10]


@given(st.floats(0, 1e8), st.floats(0, 1e8), st.integers(-(10**7), 10**9))
def test_points_are_never_negative_and_a_clock_put_back_takes_none(
    points: float, more: float, passed_ms: int
) -> None:
    after = Points(points, NOW).added(more, NOW + passed_ms, HOUR_MS)
    assert more <= after.points <= min(MOST_POINTS, points + more)
    assert after.at_ms >= NOW


def test_a_lock_carries_the_whole_way_down() -> None:
    lock = penalty_lock(SUBJECT, "infected", 200.0, RULES, NOW)
    assert lock is not None
    at = {
        hours: lock.stage_at(NOW + int(hours * HOUR_MS)) for hours in (0, 0.9, 1.1, 2.1, 3.1, 4.4)
    }
    assert at == {
        0: Stage.REFUSE,
        0.9: Stage.REFUSE,
        1.1: Stage.REQUIRE_AUTH,
        2.1: Stage.THROTTLE,
        3.1: Stage.WATCH,
        4.4: None,
    }


@pytest.mark.parametrize("points", [0.0, 9.9])
def test_few_points_amount_to_nothing(points: float) -> None:
    assert penalty_lock(SUBJECT, "spam", points, RULES, NOW) is None


def test_without_stages_points_have_no_consequence() -> None:
    assert penalty_lock(SUBJECT, "spam", 1e6, Penalty(), NOW) is None


@given(st.floats(10, 1e6), st.integers(0, 40 * HOUR_MS))
def test_at_every_moment_the_stage_is_that_of_the_points_left(points: float, later_ms: int) -> None:
    lock = penalty_lock(SUBJECT, "spam", points, RULES, NOW)
    assert lock is not None
    left = Points(points, NOW).at(NOW + later_ms, HOUR_MS)
    if any(isclose(left, least, rel_tol=1e-6) for least in RULES.stages.values()):
        return
    due = [stage for stage, least in RULES.stages.items() if left >= least]
    assert lock.stage_at(NOW + later_ms) == (due[-1] if due else None)


ENDS = st.integers(1, 50).map(lambda at: NOW + at)


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    stages = sorted(draw(st.sets(st.sampled_from(Stage), max_size=4)), key=list(Stage).index)
    ends = sorted(draw(st.sets(ENDS, min_size=len(stages), max_size=len(stages))))
    if not stages:
        return Lock(SUBJECT, "by hand", draw(st.just(0) | ENDS))
    until = tuple(map(StageUntil, reversed(stages), ends))
    return Lock(SUBJECT, "points", ends[-1], stages=until)


@given(locks(), locks())
def test_of_two_locks_the_stricter_holds_at_each_moment(one: Lock, other: Lock) -> None:
    both = stricter(one, other, NOW)
    rank = [None, *Stage].index
    for now_ms in range(NOW, NOW + 55):
        due = max(one.stage_at(now_ms), other.stage_at(now_ms), key=rank)
        assert both.stage_at(now_ms) == due


@given(locks(), locks())
def test_stages_of_a_merged_lock_grow_milder_in_order(one: Lock, other: Lock) -> None:
    ends = [each.until_ms for each in stricter(one, other, NOW).stages]
    assert [end for end in ends if end] == sorted({end for end in ends if end})


def test_a_lock_by_hand_that_has_no_end_keeps_its_name() -> None:
    by_hand = Lock(SUBJECT, "abuse", author="ops", reason="called")
    points = Lock(SUBJECT, "spam", NOW + 5, author="penalty")
    assert stricter(by_hand, points, NOW) == by_hand
    assert stricter(points, by_hand, NOW) == by_hand
