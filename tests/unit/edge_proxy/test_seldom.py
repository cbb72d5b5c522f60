"""One line in a while, which says how many it stands for."""

from edge_proxy.seldom import PERIOD_S, Seldom
from service_kit.clock import ManualClock


def test_the_first_is_told_at_once_and_the_next_after_a_while() -> None:
    clock = ManualClock()
    seldom = Seldom(clock)
    assert [seldom.count() for _ in range(3)] == [1, 0, 0]
    clock.advance(PERIOD_S)
    assert [seldom.count() for _ in range(2)] == [3, 0]
    clock.advance(PERIOD_S)
    assert seldom.count() == 2
