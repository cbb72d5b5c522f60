"""Whether engines are there, and what it means for the replica."""

import logging

import pytest

from scanner import metrics
from scanner.metrics import EngineName
from scanner.ports import EngineFailure, FailureReason
from scanner.signatures.knowledge import Knowledge
from scanner.watch import Watch
from service_kit.errors import StartError
from service_kit.health import Readiness
from tests.unit.scanner.fakes import SPAM, VIRUS, FakeEngine, states


def watching(engine: FakeEngine, readiness: Readiness) -> Watch:
    return Watch([engine], readiness, Knowledge(readiness, stale_after_s=3600.0))


AWAY = EngineFailure(FailureReason.UNREACHABLE, "/run/clamd.ctl")


def clamd(*, required_at_start: bool = False) -> FakeEngine:
    return FakeEngine("clamd", states(), VIRUS, required_at_start=required_at_start)


async def test_an_engine_that_answers_is_ready_and_says_its_version() -> None:
    readiness = Readiness()
    watch = watching(clamd(), readiness)
    await watch.look()
    assert readiness.ready
    assert watch.versions["clamd"].known == "fake clamd/7"
    name = EngineName("clamd")
    assert metrics.ENGINE_UP(name)._value.get() == 1
    assert metrics.SIGNATURES(name)._value.get() == 7
    assert metrics.SIGNATURES_MADE(name)._value.get() == 1000


async def test_an_engine_for_viruses_that_is_away_takes_the_replica_out() -> None:
    readiness, engine = Readiness(), clamd()
    watch = watching(engine, readiness)
    engine.away = AWAY
    await watch.look()
    assert readiness.reasons == {"clamd": "cannot be reached (/run/clamd.ctl)"}
    assert metrics.ENGINE_UP(EngineName("clamd"))._value.get() == 0
    engine.away = None
    await watch.look()
    assert readiness.ready


async def test_an_engine_for_spam_that_is_away_does_not() -> None:
    readiness, engine = Readiness(), FakeEngine("spamd", states(), SPAM)
    engine.away = AWAY
    await watching(engine, readiness).look()
    assert readiness.ready
    assert metrics.ENGINE_UP(EngineName("spamd"))._value.get() == 0


async def test_a_required_engine_that_is_away_ends_the_start() -> None:
    required, readiness = clamd(required_at_start=True), Readiness()
    required.away = AWAY
    with pytest.raises(StartError, match=r"\[engines.clamd\] does not answer: cannot be reached"):
        await watching(required, readiness).first_look()


async def test_an_engine_that_is_not_required_does_not() -> None:
    engine = clamd()
    engine.away = AWAY
    await watching(engine, Readiness()).first_look()


async def test_only_a_change_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    engine = clamd()
    watch = watching(engine, Readiness())
    for away in (None, None, AWAY, AWAY, None):
        engine.away = away
        await watch.look()
    assert [record.msg for record in caplog.records if record.name == "scanner.watch"] == [
        "engine answers",
        "engine away",
        "engine answers",
    ]
