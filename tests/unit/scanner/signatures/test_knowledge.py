"""Old signatures and refused ones: told once, counted, shown, and no reason to stay away."""

import logging

import pytest

from scanner import metrics
from scanner.core.profile import EngineVersion
from scanner.metrics import EngineName
from scanner.signatures.knowledge import Knowledge
from service_kit.clock import ManualClock
from service_kit.health import Readiness

DAY_S = 24 * 3600.0
CLAMD = EngineName("clamd")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(unix_s=100 * DAY_S)


def made(days_ago: float) -> EngineVersion:
    return EngineVersion("ClamAV 1", 27500, (100 - days_ago) * DAY_S)


def test_a_database_beyond_its_age_is_stale_and_the_replica_stays_ready(clock: ManualClock) -> None:
    readiness = Readiness()
    knowledge = Knowledge(readiness, 3 * DAY_S, clock)
    knowledge.judge("clamd", made(days_ago=3))
    assert (dict(readiness.remarks), metrics.SIGNATURES_STALE(CLAMD)._value.get()) == ({}, 0)
    clock.advance(DAY_S)
    knowledge.judge("clamd", made(days_ago=3))
    assert readiness.remarks == {"clamd": "signatures are 4.0 days old"}
    assert metrics.SIGNATURES_STALE(CLAMD)._value.get() == 1
    assert readiness.ready
    knowledge.judge("clamd", made(days_ago=-1))
    assert (dict(readiness.remarks), metrics.SIGNATURES_STALE(CLAMD)._value.get()) == ({}, 0)


def test_an_engine_that_does_not_tell_is_never_stale(clock: ManualClock) -> None:
    readiness = Readiness()
    Knowledge(readiness, 0.001, clock).judge("yara", EngineVersion("YARA-X 1"))
    assert dict(readiness.remarks) == {}


def test_what_is_refused_is_counted_and_shown(clock: ManualClock) -> None:
    readiness = Readiness()
    knowledge = Knowledge(readiness, DAY_S, clock)
    knowledge.judge("yara", EngineVersion("YARA-X 1", refused="own.yar: no rule"))
    assert readiness.remarks == {"yara": "newer ones refused: own.yar: no rule"}
    assert metrics.SIGNATURES_REFUSED(EngineName("yara"))._value.get() == 1
    knowledge.judge("yara", EngineVersion("YARA-X 1"))
    assert dict(readiness.remarks) == {}
    assert metrics.SIGNATURES_REFUSED(EngineName("yara"))._value.get() == 0


def test_only_a_change_is_told(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    knowledge = Knowledge(Readiness(), 3 * DAY_S, clock)
    for days_ago in (1, 1, 5, 6, 1, 1):
        knowledge.judge("clamd", made(days_ago))
    assert [(each.levelname, each.msg) for each in caplog.records] == [
        ("WARNING", "signatures stale"),
        ("INFO", "signatures fresh again"),
    ]
