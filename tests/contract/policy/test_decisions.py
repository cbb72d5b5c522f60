"""Decisions and counts of shadows: what both stores keep."""

from dataclasses import replace

from policy.core.decisions import (
    DecidedBy,
    KeptDecision,
    KeptFacts,
    Shadowed,
    decision_id,
    shadows_in,
)
from policy.ports import PolicyStore
from policy.store.redis.keys import MOST_SHADOWED
from rulebook.values import Phase
from service_kit.clock import SYSTEM_CLOCK
from smtpgated_contracts.values.policy import SpfResult
from smtpgated_contracts.values.scan import VerdictKind

DAY = "2026-11-24"


def kept(number: int = 1, shadows: tuple[str, ...] = ()) -> KeptDecision:
    now_ms = SYSTEM_CLOCK.unix_ms()
    return KeptDecision(
        decision_id(now_ms, "beef", number),
        now_ms,
        DecidedBy.RULES,
        f"session-{number}",
        "edge-1",
        "192.0.2.1",
        "198.51.100.25",
        25,
        "",
        1,
        Phase.MAIL,
        "refuse",
        "rule:known-bots",
        550,
        shadows=shadows,
        rulebook_version=3,
        facts=KeptFacts(
            helo="caf\xe9 \x00",
            recipients=("a@b.example",),
            spf=SpfResult.FAIL,
            verdict=VerdictKind.CLEAN,
            load=0.5,
        ),
    )


async def test_a_decision_is_found_by_its_id_and_comes_back_whole(store: PolicyStore) -> None:
    first, second = kept(1), kept(2)
    await store.keep_decisions([first, second], {}, 1000)
    assert await store.decision(second.decision_id) == second
    assert await store.decision(first.decision_id) == first


async def test_an_id_that_is_none_or_of_nothing_finds_nothing(store: PolicyStore) -> None:
    await store.keep_decisions([kept()], {}, 1000)
    now_ms = SYSTEM_CLOCK.unix_ms()
    for name in ("", "-", "x", "zzzzzzzzzzz-beef-1", decision_id(now_ms, "beef", 77), "0" * 4000):
        assert await store.decision(name) is None


async def test_a_decision_whose_clock_was_minutes_off_is_found(store: PolicyStore) -> None:
    early = replace(kept(), decision_id=decision_id(SYSTEM_CLOCK.unix_ms() - 200_000, "beef", 1))
    await store.keep_decisions([kept(2), early], {}, 1000)
    assert await store.decision(early.decision_id) == early


async def test_pages_go_back_from_the_newest_and_miss_none(store: PolicyStore) -> None:
    entries = [kept(number) for number in range(7)]
    await store.keep_decisions(entries[:4], {}, 1000)
    await store.keep_decisions(entries[4:], {}, 1000)
    found: list[KeptDecision] = []
    before = ""
    while part := await store.decisions(before, 3):
        found += [each.decision for each in part]
        before = part[-1].place
    assert found == entries[::-1]


async def test_no_more_are_kept_than_were_asked_for(store: PolicyStore) -> None:
    entries = [kept(number) for number in range(1000)]
    await store.keep_decisions(entries, {}, 100)
    found = await store.decisions("", 1000)
    assert 100 <= len(found) < 400, "a stream is cut in whole nodes of some hundred entries"
    assert found[0].decision == entries[-1]


async def test_shadows_add_up_by_day_rule_and_subject(store: PolicyStore) -> None:
    spam, bulk = Shadowed(DAY, "spam", "address:192.0.2.1"), Shadowed(DAY, "bulk", "identity:joe")
    await store.keep_decisions([], {spam: 2, bulk: 1}, 1000)
    await store.keep_decisions([], {spam: 3, replace(spam, subject="address:192.0.2.2"): 1}, 1000)
    await store.keep_decisions([], {replace(spam, day="2026-11-25"): 9}, 1000)
    assert await store.shadow_totals(DAY) == {"spam": 6, "bulk": 1}
    assert await store.shadow_subjects(DAY, "spam") == {
        "address:192.0.2.1": 5,
        "address:192.0.2.2": 1,
    }
    assert await store.shadow_subjects(DAY, "nobody") == {}
    assert await store.shadow_totals("2026-11-26") == {}


async def test_subjects_beyond_the_bound_are_counted_together(store: PolicyStore) -> None:
    crowd = {Shadowed(DAY, "spam", f"identity:{number}"): 1 for number in range(MOST_SHADOWED + 5)}
    await store.keep_decisions([], crowd, 1000)
    again = {Shadowed(DAY, "spam", "identity:0"): 1, Shadowed(DAY, "spam", "identity:new"): 2}
    await store.keep_decisions([], again, 1000)
    subjects = await store.shadow_subjects(DAY, "spam")
    assert subjects["identity:0"] == 2
    assert subjects[""] == 7
    assert len(subjects) == MOST_SHADOWED + 1
    assert (await store.shadow_totals(DAY))["spam"] == MOST_SHADOWED + 8


def test_shadows_are_counted_per_day_and_bearer() -> None:
    day_ms = 24 * 3600 * 1000
    entries = [
        replace(kept(1, ("a", "b")), at_ms=0),
        replace(kept(2, ("a",)), at_ms=day_ms - 1),
        replace(kept(3, ("a",)), at_ms=day_ms, identity="joe"),
    ]
    assert shadows_in(entries) == {
        Shadowed("1970-01-01", "a", "address:192.0.2.1"): 2,
        Shadowed("1970-01-01", "b", "address:192.0.2.1"): 1,
        Shadowed("1970-01-02", "a", "identity:joe"): 1,
    }
