"""The engines together: one verdict, one deadline, and nobody's failure is another's."""

import asyncio
from dataclasses import replace

import pytest

from scanner import metrics
from scanner.core.content import Content
from scanner.core.profile import EngineVersion
from scanner.core.scan_profile import ScanProfile
from scanner.core.verdict import Statement
from scanner.metrics import EngineName, EngineResult
from scanner.panel import Panel
from scanner.ports import FailureReason
from smtpgated_contracts.values.scan import EngineClass, Finding, Missing, Verdict, VerdictKind
from tests.unit.scanner.fakes import (
    CONTEXT,
    EICAR_FOUND,
    LITTLE_SPAM,
    MUCH_SPAM,
    NO_VIRUS,
    PROFILE,
    SPAM,
    VIRUS,
    FakeEngine,
    after,
    fails,
    hangs,
    states,
)

NOBODY: frozenset[EngineClass] = frozenset()
CONTENT = Content.of(b"a ", b"message")


async def judge(
    *engines: FakeEngine,
    skip: frozenset[EngineClass] = NOBODY,
    content: Content = CONTENT,
    in_s: float = 60.0,
    stop_at_virus: bool = True,
    profile: ScanProfile = PROFILE,
) -> Verdict:
    panel = Panel(engines, {"clamd": EngineVersion("ClamAV 1")}, stop_at_virus=stop_at_virus)
    context = replace(CONTEXT, profile=profile)
    return await panel.judge(content, context, skip, asyncio.get_running_loop().time() + in_s)


def clamd(*said: Statement) -> FakeEngine:
    return FakeEngine("clamd", states(*said), VIRUS)


def spamd(*said: Statement) -> FakeEngine:
    return FakeEngine("spamd", states(*said), SPAM)


async def test_one_engine_makes_a_verdict() -> None:
    verdict = await judge(clamd(NO_VIRUS))
    assert verdict.kind is VerdictKind.CLEAN
    assert verdict.findings == (
        Finding("clamd", VIRUS, VerdictKind.CLEAN, spent_ms=0, version="ClamAV 1"),
    )


async def test_findings_come_in_the_order_of_the_engines_not_of_their_answers() -> None:
    gate = asyncio.Event()

    async def opens(_content: bytes) -> tuple[Statement, ...]:
        gate.set()
        return (LITTLE_SPAM,)

    slow = FakeEngine("clamd", after(gate, states(NO_VIRUS)), VIRUS)
    verdict = await judge(slow, FakeEngine("spamd", opens, SPAM))
    assert [finding.engine for finding in verdict.findings] == ["clamd", "spamd"]


async def test_engines_are_asked_at_the_same_time() -> None:
    # Neither answers before the other was asked.
    both = asyncio.Barrier(2)

    async def meets(_content: bytes) -> tuple[Statement, ...]:
        await both.wait()
        return ()

    verdict = await judge(FakeEngine("clamd", meets), FakeEngine("spamd", meets, SPAM))
    assert verdict.kind is VerdictKind.CLEAN


async def test_every_engine_is_given_the_same_octets_not_a_copy() -> None:
    engines = clamd(NO_VIRUS), spamd(LITTLE_SPAM)
    await judge(*engines)
    assert all(engine.given[0] is CONTENT for engine in engines)


async def test_the_farms_threshold_makes_spam_suspect() -> None:
    verdict = await judge(clamd(NO_VIRUS), spamd(MUCH_SPAM))
    assert verdict.kind is VerdictKind.SUSPECT
    assert (verdict.score, verdict.names) == (1000.0, ("GTUBE",))


@pytest.mark.parametrize("reason", FailureReason)
async def test_an_engine_that_fails_is_a_missing_class_and_touches_no_other(
    reason: FailureReason,
) -> None:
    verdict = await judge(FakeEngine("clamd", fails(reason), VIRUS), spamd(LITTLE_SPAM))
    assert verdict.kind is VerdictKind.UNSCANNED
    assert verdict.missing == (Missing(VIRUS, f"clamd: {reason.value} (as the test says)"),)
    assert [finding.engine for finding in verdict.findings] == ["spamd"]


async def test_an_engine_that_hangs_is_timed_out_at_the_scans_deadline() -> None:
    engine = FakeEngine("clamd", hangs(), VIRUS)
    verdict = await judge(engine, spamd(LITTLE_SPAM), in_s=0.05)
    assert verdict.missing == (Missing(VIRUS, "clamd: no answer in time"),)
    assert len(verdict.findings) == 1
    assert engine.given_up == 1


async def test_an_engine_that_hangs_is_timed_out_at_its_own_deadline() -> None:
    engine = FakeEngine("clamd", hangs(), VIRUS, deadline_s=0.05)
    assert (await judge(engine)).kind is VerdictKind.UNSCANNED


async def test_a_deadline_that_is_over_already_is_a_verdict_too() -> None:
    verdict = await judge(FakeEngine("clamd", hangs(), VIRUS), in_s=-1.0)
    assert verdict.kind is VerdictKind.UNSCANNED


async def test_a_virus_calls_the_other_engines_off_and_nobody_is_missing() -> None:
    asked = asyncio.Event()
    slow = FakeEngine("spamd", hangs(asked), SPAM)
    verdict = await judge(FakeEngine("clamd", after(asked, states(EICAR_FOUND)), VIRUS), slow)
    assert verdict.kind is VerdictKind.INFECTED
    assert verdict.missing == ()
    assert slow.given_up == 1


async def test_a_virus_calls_nobody_off_when_it_is_configured_so() -> None:
    verdict = await judge(clamd(EICAR_FOUND), spamd(LITTLE_SPAM), stop_at_virus=False)
    assert [finding.engine for finding in verdict.findings] == ["clamd", "spamd"]


async def test_spam_calls_nobody_off() -> None:
    verdict = await judge(clamd(NO_VIRUS), spamd(MUCH_SPAM))
    assert len(verdict.findings) == 2


async def test_a_caller_who_goes_away_frees_every_engine() -> None:
    asked = asyncio.Event()
    engines = FakeEngine("clamd", hangs(), VIRUS), FakeEngine("spamd", hangs(asked), SPAM)
    async with asyncio.TaskGroup() as group:
        judging = group.create_task(judge(*engines))
        await asked.wait()
        judging.cancel()
    assert [engine.given_up for engine in engines] == [1, 1]


async def test_what_an_engine_found_before_it_failed_counts() -> None:
    both = FakeEngine("yara", fails(FailureReason.UNFINISHED, NO_VIRUS, MUCH_SPAM), VIRUS, SPAM)
    verdict = await judge(both)
    assert verdict.kind is VerdictKind.SUSPECT
    assert [finding.name for finding in verdict.findings] == ["GTUBE"]
    assert [each.engine_class for each in verdict.missing] == [VIRUS]


async def test_a_skipped_class_is_not_in_the_verdict_of_an_engine_that_judges_two() -> None:
    both = FakeEngine("yara", states(NO_VIRUS, MUCH_SPAM), VIRUS, SPAM)
    verdict = await judge(both, skip=frozenset({SPAM}))
    assert [finding.engine_class for finding in verdict.findings] == [VIRUS]
    assert verdict.kind is VerdictKind.CLEAN


async def test_a_skipped_class_is_not_missing_when_its_engine_fails() -> None:
    both = FakeEngine("yara", fails(FailureReason.LOST), VIRUS, SPAM)
    verdict = await judge(both, skip=frozenset({SPAM}))
    assert [each.engine_class for each in verdict.missing] == [VIRUS]


async def test_when_every_class_is_skipped_nobody_is_asked() -> None:
    engine = clamd(NO_VIRUS)
    verdict = await judge(engine, skip=frozenset(EngineClass))
    assert verdict == Verdict(VerdictKind.CLEAN)
    assert engine.seen == []


async def test_content_beyond_every_limit_is_unscanned_without_asking() -> None:
    engine = FakeEngine("clamd", states(NO_VIRUS), VIRUS, max_octets=3)
    verdict = await judge(engine)
    assert verdict.kind is VerdictKind.UNSCANNED
    assert engine.seen == []


async def test_a_class_that_no_engine_judges_is_not_missing_in_the_unjudged() -> None:
    panel = Panel([clamd()], {})
    assert panel.unjudged("too large", PROFILE, NOBODY).missing == (Missing(VIRUS, "too large"),)
    assert panel.unjudged("too large", PROFILE, frozenset({VIRUS})) == Verdict(VerdictKind.CLEAN)


async def test_a_bug_in_an_engine_is_not_a_verdict() -> None:
    async def broken(_content: bytes) -> tuple[Statement, ...]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await judge(FakeEngine("clamd", broken, VIRUS))


async def test_time_and_result_of_every_engine_are_counted() -> None:
    def seconds(result: EngineResult) -> float:
        (metric,) = metrics.ENGINE_SECONDS(EngineName("clamd"), result).collect()
        return sum(each.value for each in metric.samples if each.name.endswith("_count"))

    before = {result: seconds(result) for result in EngineResult}
    await judge(clamd(NO_VIRUS))
    await judge(clamd(EICAR_FOUND))
    await judge(FakeEngine("clamd", fails(FailureReason.LOST)))
    for result in (EngineResult.CLEAN, EngineResult.FOUND, EngineResult.FAILED):
        assert seconds(result) == before[result] + 1
    assert seconds(EngineResult.CALLED_OFF) == before[EngineResult.CALLED_OFF]


async def test_the_profile_says_from_which_score_on_content_is_suspect() -> None:
    engine = spamd(Statement(SPAM, name="MILD", score=3.0))
    assert (await judge(engine)).kind is VerdictKind.CLEAN
    strict = ScanProfile(suspect_at=2.5, content_octets=1000)
    assert (await judge(engine, profile=strict)).kind is VerdictKind.SUSPECT


async def test_the_profile_says_who_is_asked() -> None:
    spam, virus = spamd(Statement(SPAM, score=9.0)), clamd(NO_VIRUS)
    quick = ScanProfile(5.0, 1000, frozenset({"clamd"}))
    assert (await judge(spam, virus, profile=quick)).kind is VerdictKind.CLEAN
    assert spam.seen == []
