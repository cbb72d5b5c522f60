"""What looking inside a content may cost."""

import pytest

from scanner.core.budget import Budget, BudgetExceeded, Limits

SMALL = Limits(depth=2, parts=3, octets=10)


def in_time() -> bool:
    return False


def test_within_its_limits_nothing_is_refused() -> None:
    budget = Budget(SMALL, in_time)
    for depth in (0, 1, 2):
        budget.enter(depth)
    budget.spend_octets(10)
    assert (budget.parts_left, budget.octets_left) == (0, 0)


def test_one_level_too_deep_is_refused() -> None:
    with pytest.raises(BudgetExceeded, match="2 levels"):
        Budget(SMALL, in_time).enter(3)


def test_one_part_too_many_is_refused() -> None:
    budget = Budget(SMALL, in_time)
    for _ in range(3):
        budget.enter(0)
    with pytest.raises(BudgetExceeded, match="parts"):
        budget.enter(0)


def test_one_octet_too_many_is_refused() -> None:
    budget = Budget(SMALL, in_time)
    budget.spend_octets(9)
    with pytest.raises(BudgetExceeded, match="octets"):
        budget.spend_octets(2)


def test_time_is_asked_at_every_part() -> None:
    times = iter([False, False, True])
    budget = Budget(SMALL, lambda: next(times))
    budget.enter(0)
    budget.enter(0)
    with pytest.raises(BudgetExceeded, match="time"):
        budget.enter(0)
