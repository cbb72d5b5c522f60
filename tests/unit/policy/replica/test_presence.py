"""Whether the store is there."""

import pytest

from policy.metrics import STORE_LOSSES
from policy.replica.presence import StorePresence
from service_kit.clock import ManualClock
from service_kit.failures import FailureKind, Unavailable

GONE = Unavailable("redis", FailureKind.UNREACHABLE, retryable=True, detail="refused")


def losses() -> float:
    return float(STORE_LOSSES()._value.get())


def test_a_store_nobody_asked_yet_counts_as_away() -> None:
    assert StorePresence(ManualClock()).away


def test_one_absence_is_one_loss_however_often_it_is_noticed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    presence = StorePresence(clock)
    presence.returned()
    before, caplog.records[:] = losses(), []
    clock.advance(5)
    presence.lost(GONE)
    went_ms = clock.unix_ms()
    clock.advance(5)
    presence.lost(GONE)
    assert losses() - before == 1
    assert [record.getMessage() for record in caplog.records] == ["store away"]
    assert (presence.away, presence.since_ms) == (True, went_ms)
    assert presence.why == "redis: nobody answers (refused)"
    presence.returned()
    assert (presence.away, presence.why) == (False, "")
    assert presence.since_ms == clock.unix_ms()
