"""Decisions on their way into the journal."""

import asyncio
from dataclasses import replace

import pytest

from policy.core.decisions import DecidedBy
from policy.metrics import DECISIONS_UNKEPT
from policy.replica import decision_log
from policy.replica.decision_log import DecisionLog
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind
from smtpgated_contracts.values.reported import RulingReport
from tests.contract.policy.samples import asks, session
from tests.unit.policy.replica.conftest import Parts

REFUSED = Decision(DecisionKind.REFUSE, "lock:virus")


def log_of(parts: Parts, *, admitted: bool = True) -> DecisionLog:
    parts.presence.returned()
    return DecisionLog(
        parts.farm, parts.store, parts.presence, parts.clock, "beef", admitted=admitted, most=1000
    )


async def written(log: DecisionLog) -> None:
    """A log that ends writes what it has."""
    running = Tasks().spawn(log.run(), name="decisions")
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_refusal_is_found_by_the_id_that_the_edge_was_told(parts: Parts) -> None:
    log = log_of(parts)
    told = log.answered(asks("a"), REFUSED, ("lock virus on address:192.0.2.1",))
    assert replace(told, decision_id="") == REFUSED
    await written(log)
    kept = await parts.store.decision(told.decision_id)
    assert kept is not None
    assert (kept.by, kept.action, kept.cause) == (DecidedBy.POLICY, "refuse", "lock:virus")
    assert kept.why == ("lock virus on address:192.0.2.1",)


async def test_a_plain_admission_is_kept_and_costs_the_answer_nothing(parts: Parts) -> None:
    log = log_of(parts)
    assert log.answered(asks("a"), ADMITTED, ()) is ADMITTED
    await written(log)
    (placed,) = await parts.store.decisions("", 9)
    assert (placed.decision.action, placed.decision.session_id) == ("admit", "a")


async def test_plain_admissions_can_be_left_out_and_what_is_in_shadow_not(parts: Parts) -> None:
    log = log_of(parts, admitted=False)
    log.answered(asks("a"), ADMITTED, ())
    log.answered(asks("b"), replace(ADMITTED, shadows=("hourly",)), ())
    log.ruled(RulingReport(session("c"), 1, "helo", shadows=("soon",), at_ms=86_400_000))
    await written(log)
    kept = [each.decision.session_id for each in await parts.store.decisions("", 9)]
    assert kept == ["c", "b"]
    assert await parts.store.shadow_totals("1970-01-02") == {"soon": 1}


async def test_a_phase_that_nobody_knows_is_not_kept(parts: Parts) -> None:
    log = log_of(parts)
    log.ruled(RulingReport(session("c"), 1, "lunch", "refuse"))
    await written(log)
    assert await parts.store.decisions("", 9) == ()


async def test_while_the_store_is_away_decisions_wait_for_it(parts: Parts) -> None:
    log = log_of(parts)
    parts.store.away = "pulled"
    log.answered(asks("a"), REFUSED, ())
    log.answered(asks("b"), REFUSED, ())
    lost = DECISIONS_UNKEPT()._value.get()
    await written(log)
    assert parts.presence.away
    assert DECISIONS_UNKEPT()._value.get() == lost + 2, "maybe written, so not written twice"
    log.answered(asks("c"), REFUSED, ())
    await written(log)
    parts.store.away = ""
    parts.presence.returned()
    await written(log)
    assert [each.decision.session_id for each in await parts.store.decisions("", 9)] == ["c"]


async def test_what_waits_is_bounded_and_admissions_go_first(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision_log, "MOST_WAITING", 4)
    monkeypatch.setattr(decision_log, "_MANY_WAITING", 2)
    log = log_of(parts)
    lost = DECISIONS_UNKEPT()._value.get()
    for name in "abc":
        log.answered(asks(name), ADMITTED, ())
    for name in "def":
        log.answered(asks(name), REFUSED, ())
    assert DECISIONS_UNKEPT()._value.get() == lost + 2
    await written(log)
    kept = [each.decision.session_id for each in await parts.store.decisions("", 9)]
    assert kept == ["e", "d", "b", "a"]


async def test_octets_of_strangers_are_kept_as_they_were(parts: Parts) -> None:
    log = log_of(parts)
    told = RulingReport(session("c"), 1, "helo", "refuse", "r")
    facts = replace(told.facts, envelope=Envelope(bytes(range(256)) * 9))
    log.ruled(replace(told, facts=facts))
    await written(log)
    (placed,) = await parts.store.decisions("", 9)
    assert placed.decision.facts.helo.encode("latin-1") == (bytes(range(256)) * 9)[:1024]
