"""When a backend is left alone, and how it comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.core.circuit import FAILURES, FIRST_PAUSE_S, LONGEST_PAUSE_S, Circuit, CircuitState

CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN


def opened_at(now_s: float) -> Circuit:
    circuit = Circuit()
    for _ in range(FAILURES):
        circuit.failed(now_s)
    return circuit


def test_a_few_failures_do_not_open_it() -> None:
    circuit = Circuit()
    for _ in range(FAILURES - 1):
        circuit.failed(0.0)
    assert circuit.state(0.0) is CLOSED


def test_failures_count_in_a_row_only() -> None:
    circuit = Circuit()
    for _ in range(10):
        for _ in range(FAILURES - 1):
            circuit.failed(0.0)
        circuit.succeeded()
    assert circuit.state(0.0) is CLOSED


def test_it_opens_for_a_pause_and_then_lets_one_trial_through() -> None:
    circuit = opened_at(10.0)
    assert circuit.state(10.0) is OPEN
    later_s = 10.0 + FIRST_PAUSE_S
    assert circuit.state(later_s) is HALF_OPEN
    circuit.asked(later_s)
    assert circuit.state(later_s) is OPEN


def test_a_trial_that_succeeds_closes_it() -> None:
    circuit = opened_at(0.0)
    circuit.asked(FIRST_PAUSE_S)
    circuit.succeeded()
    assert circuit.state(FIRST_PAUSE_S) is CLOSED


def test_trials_that_fail_make_the_pause_longer_up_to_a_bound() -> None:
    circuit, now_s, pauses = opened_at(0.0), FIRST_PAUSE_S, []
    for _ in range(10):
        circuit.asked(now_s)
        circuit.failed(now_s)
        began_s = now_s
        while circuit.state(now_s) is OPEN:
            now_s += FIRST_PAUSE_S / 2
        pauses.append(now_s - began_s)
    assert pauses[:3] == [2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S, 8 * FIRST_PAUSE_S]
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE_S)


def test_late_failures_of_scans_begun_before_say_nothing_new() -> None:
    circuit = opened_at(0.0)
    for _ in range(100):
        circuit.failed(FIRST_PAUSE_S / 2)
    assert circuit.state(FIRST_PAUSE_S) is HALF_OPEN


def test_a_trial_nobody_hears_of_is_followed_by_another() -> None:
    circuit = opened_at(0.0)
    circuit.asked(FIRST_PAUSE_S)
    assert circuit.state(2 * FIRST_PAUSE_S) is HALF_OPEN


@given(st.lists(st.tuples(st.sampled_from(["asked", "failed", "succeeded"]), st.floats(0, 100))))
def test_it_never_stays_open_for_longer_than_the_longest_pause(
    history: list[tuple[str, float]],
) -> None:
    circuit, now_s = Circuit(), 0.0
    for what, after_s in history:
        now_s += after_s
        if what == "asked":
            circuit.asked(now_s)
        elif what == "failed":
            circuit.failed(now_s)
        else:
            circuit.succeeded()
            assert circuit.state(now_s) is CLOSED
    assert circuit.state(now_s + LONGEST_PAUSE_S) is not OPEN
