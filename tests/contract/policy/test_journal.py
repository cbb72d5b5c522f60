"""Outcomes, totals and edges: what both stores keep."""

from dataclasses import replace

from policy.core.journal import entry_of, totals_of
from policy.core.leases import Release
from policy.ports import PolicyStore, Summary
from service_kit.clock import ManualClock
from smtpgated_contracts.values.mail import SessionId
from smtpgated_contracts.values.scan import VerdictKind
from tests.contract.policy.samples import opening, outcome, soon


async def test_outcomes_come_back_newest_first_and_whole(store: PolicyStore) -> None:
    entries = [replace(entry_of(outcome()), transaction=number) for number in (1, 2, 3)]
    await store.record(entries, {})
    assert await store.outcomes(2) == (entries[2], entries[1])


async def test_totals_add_up_over_reports(store: PolicyStore) -> None:
    clean, infected = entry_of(outcome()), entry_of(outcome(VerdictKind.INFECTED))
    await store.record([clean], totals_of([clean]))
    await store.record([clean, infected], totals_of([clean, infected]))
    totals = (await store.summary()).totals
    assert totals["verdict:clean"] == 2
    assert totals["verdict:infected"] == 1
    assert totals["messages"] == 3
    assert totals["content_octets"] == 3 * 4096


async def test_recording_nothing_is_nothing(store: PolicyStore) -> None:
    await store.record([], {})
    assert await store.summary() == Summary(0, {}, {})


async def test_the_summary_counts_sessions_that_hold_a_lease(
    store: PolicyStore, clock: ManualClock
) -> None:
    await store.settle([opening("a"), opening("b"), Release((SessionId("a"),))], soon())
    assert (await store.summary()).sessions == 1
    clock.advance(30)
    assert (await store.summary()).sessions == 0


async def test_an_edge_is_remembered_with_its_last_contact(store: PolicyStore) -> None:
    await store.edges_seen({"edge-1": 100, "edge-2": 200})
    await store.edges_seen({"edge-1": 300, "edge-2": 150})
    await store.edges_seen({})
    assert (await store.summary()).edges == {"edge-1": 300, "edge-2": 200}


async def test_an_edge_that_was_silent_for_a_day_is_forgotten(store: PolicyStore) -> None:
    day_ms = 24 * 3600 * 1000
    await store.edges_seen({"gone": 100, "there": 101})
    await store.edges_seen({"new": 101 + day_ms})
    assert set((await store.summary()).edges) == {"there", "new"}
