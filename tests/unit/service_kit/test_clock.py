import pytest

from service_kit.clock import SYSTEM_CLOCK, Clock, ManualClock


def test_a_manual_clock_moves_only_when_told() -> None:
    clock: Clock = ManualClock(monotonic_s=5.0, unix_s=100.0)
    assert (clock.monotonic_s(), clock.unix_ms()) == (5.0, 100_000)
    assert isinstance(clock, ManualClock)
    clock.advance(0.25)
    assert (clock.monotonic_s(), clock.unix_ms()) == (5.25, 100_250)


def test_setting_the_date_does_not_move_spans() -> None:
    clock = ManualClock(monotonic_s=5.0, unix_s=100.0)
    clock.set_unix(1.0)
    assert (clock.monotonic_s(), clock.unix_ms()) == (5.0, 1_000)


def test_time_does_not_go_back() -> None:
    with pytest.raises(AssertionError):
        ManualClock().advance(-1)


def test_the_system_clock_counts_milliseconds_since_1970_and_never_goes_back() -> None:
    first = SYSTEM_CLOCK.monotonic_s()
    assert SYSTEM_CLOCK.monotonic_s() >= first
    assert 1_700_000_000_000 < SYSTEM_CLOCK.unix_ms() < 10_000_000_000_000
