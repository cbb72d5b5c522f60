"""Wrong tokens of one address: so many in any window, and bounded memory."""

from policy.admin.throttle import MOST_ADDRESSES, MOST_FAILURES, WINDOW_S, LoginThrottle
from service_kit.clock import ManualClock


def test_an_address_may_fail_so_often_in_any_window() -> None:
    clock = ManualClock()
    throttle = LoginThrottle(clock)
    for _ in range(MOST_FAILURES):
        assert throttle.failed("192.0.2.1") == 0
        clock.advance(1)
    assert throttle.failed("192.0.2.1") == round(WINDOW_S) - MOST_FAILURES
    clock.advance(WINDOW_S - MOST_FAILURES)
    assert throttle.failed("192.0.2.1") == 0
    assert throttle.failed("192.0.2.1") == 1


def test_addresses_are_throttled_each_by_itself_and_ipv6_by_the_64() -> None:
    throttle = LoginThrottle(ManualClock())
    for number in range(MOST_FAILURES):
        throttle.failed(f"2001:db8::{number:x}")
    assert throttle.failed("2001:db8::ffff") > 0
    assert throttle.failed("2001:db8:0:1::1") == 0
    assert throttle.failed("192.0.2.1") == 0


def test_an_address_is_counted_alike_in_both_spellings() -> None:
    throttle = LoginThrottle(ManualClock())
    for _ in range(MOST_FAILURES):
        throttle.failed("::ffff:192.0.2.1")
    assert throttle.failed("192.0.2.1") > 0


def test_the_address_that_failed_the_longest_ago_is_forgotten() -> None:
    throttle = LoginThrottle(ManualClock())
    for _ in range(MOST_FAILURES):
        throttle.failed("192.0.2.1")
    for number in range(MOST_ADDRESSES):
        throttle.failed(f"10.0.{number // 256}.{number % 256}")
    assert throttle.failed("192.0.2.1") == 0


def test_who_has_no_address_is_throttled_too() -> None:
    throttle = LoginThrottle(ManualClock())
    waits = [throttle.failed("") for _ in range(MOST_FAILURES + 1)]
    assert waits[-1] > 0
