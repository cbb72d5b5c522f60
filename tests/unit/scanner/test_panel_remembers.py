"""The panel with a verdict cache: what is remembered, what is not, and what findings say of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from scanner import metrics
from scanner.cache.memory import Memory
from scanner.cache.recall import Recall
from scanner.cache.shared import NobodyElse
from scanner.core.cache_life import Lives
from scanner.core.content import Content
from scanner.core.profile import EngineVersion, LooksAt
from scanner.core.verdict import Statement
from scanner.metrics import EngineName, EngineResult
from scanner.panel import Panel
from scanner.ports import FailureReason
from smtpgated_contracts.values.scan import EngineClass, Verdict, VerdictKind
from tests.unit.scanner.fakes import (
    CONTEXT,
    EICAR_FOUND,
    MUCH_SPAM,
    NO_VIRUS,
    PROFILE,
    SPAM,
    VIRUS,
    FakeEngine,
    fails,
    hangs,
    states,
)

NOBODY: frozenset[EngineClass] = frozenset()
COPIES = [Content.of(b"To: %d@b.example\r\nSubject: s\r\n\r\nbody" % n) for n in range(3)]


def clamd(*said: Statement) -> FakeEngine:
    engine = FakeEngine("clamd", states(*said), VIRUS)
    engine.profile = replace(engine.profile, looks_at=LooksAt.ESSENCE)
    return engine


def spamd(*said: Statement) -> FakeEngine:
    engine = FakeEngine("spamd", states(*said), SPAM)
    engine.profile = replace(engine.profile, looks_at=LooksAt.CONTENT)
    return engine


@pytest.fixture
async def cache() -> AsyncIterator[Recall]:
    made = Recall(Memory(100), NobodyElse(), Lives(), 5.0)
    yield made
    await made.aclose()


VERSIONS = {"clamd": EngineVersion("ClamAV 1", 7), "spamd": EngineVersion("spamd 1.5")}


async def judge(panel: Panel, content: Content, **changes: object) -> Verdict:
    context = replace(CONTEXT, **changes)  # type: ignore[arg-type]
    return await panel.judge(content, context, NOBODY, asyncio.get_running_loop().time() + 60)


async def test_copies_cost_one_scan_and_their_findings_say_so(cache: Recall) -> None:
    engine = clamd(EICAR_FOUND)
    panel = Panel([engine], VERSIONS, cache)
    findings = [(await judge(panel, each)).findings[0] for each in COPIES]
    assert [each.cached for each in findings] == [False, True, True]
    assert {replace(each, cached=False, spent_ms=0) for each in findings} == {
        replace(findings[0], spent_ms=0)
    }
    assert findings[2].version == "ClamAV 1/7"
    assert len(engine.seen) == 1


async def test_the_time_of_a_cached_answer_is_that_of_the_lookup(cache: Recall) -> None:
    panel = Panel([clamd(NO_VIRUS)], VERSIONS, cache)
    first = metrics.ENGINE_SECONDS(EngineName("clamd"), EngineResult.CLEAN)
    await judge(panel, COPIES[0])
    before = first._sum.get()
    verdict = await judge(panel, COPIES[1])
    assert verdict.findings[0].spent_ms <= verdict.spent_ms
    assert first._sum.get() == before, "it is no time of the engine's"


async def test_other_signatures_are_asked_anew(cache: Recall) -> None:
    versions = dict(VERSIONS)
    engine = clamd(NO_VIRUS)
    panel = Panel([engine], versions, cache)
    await judge(panel, COPIES[0])
    versions["clamd"] = replace(versions["clamd"], signatures=8)
    (finding,) = (await judge(panel, COPIES[0])).findings
    assert (finding.cached, finding.version) == (False, "ClamAV 1/8")
    assert len(engine.seen) == 2


async def test_a_finding_is_of_the_version_that_was_asked(cache: Recall) -> None:
    versions = dict(VERSIONS)

    async def reloads(_content: bytes) -> tuple[Statement, ...]:
        versions["clamd"] = EngineVersion("ClamAV 2", 8)
        return (NO_VIRUS,)

    engine = FakeEngine("clamd", reloads, VIRUS)
    (finding,) = (await judge(Panel([engine], versions, cache), COPIES[0])).findings
    assert finding.version == "ClamAV 1/7"


@pytest.mark.parametrize("reason", FailureReason)
async def test_unscanned_is_never_remembered(cache: Recall, reason: FailureReason) -> None:
    engine = clamd(NO_VIRUS)
    engine._act = fails(reason, MUCH_SPAM)
    panel = Panel([engine], VERSIONS, cache)
    assert (await judge(panel, COPIES[0])).missing
    engine._act = states(EICAR_FOUND)
    verdict = await judge(panel, COPIES[0])
    assert verdict.kind is VerdictKind.INFECTED
    assert not verdict.findings[0].cached


async def test_an_engine_that_hangs_is_asked_again(cache: Recall) -> None:
    engine = clamd(NO_VIRUS)
    engine._act = hangs()
    engine.profile = replace(engine.profile, deadline_s=0.02)
    panel = Panel([engine], VERSIONS, cache)
    assert (await judge(panel, COPIES[0])).kind is VerdictKind.UNSCANNED
    engine._act = states(NO_VIRUS)
    assert (await judge(panel, COPIES[0])).kind is VerdictKind.CLEAN


async def test_the_head_of_a_message_and_a_whole_one_share_nothing(cache: Recall) -> None:
    engine = clamd(NO_VIRUS)
    panel = Panel([engine], VERSIONS, cache)
    for head_only in (True, False, True, False):
        await judge(panel, COPIES[0], head_only=head_only)
    assert len(engine.seen) == 2


async def test_every_profile_has_its_own_threshold_over_one_remembered_score(
    cache: Recall,
) -> None:
    engine = spamd(Statement(SPAM, name="MILD", score=3.0))
    panel = Panel([engine], VERSIONS, cache)
    strict = replace(PROFILE, suspect_at=2.0)
    kinds = [(await judge(panel, COPIES[0], profile=each)).kind for each in (PROFILE, strict)]
    assert kinds == [VerdictKind.CLEAN, VerdictKind.SUSPECT]
    assert len(engine.seen) == 1


async def test_an_engines_limit_holds_also_for_what_is_remembered(cache: Recall) -> None:
    engine = clamd(NO_VIRUS)
    await judge(Panel([engine], VERSIONS, cache), COPIES[0])
    engine.profile = replace(engine.profile, max_octets=10)
    verdict = await judge(Panel([engine], VERSIONS, cache), COPIES[0])
    assert verdict.kind is VerdictKind.UNSCANNED


async def test_a_profile_that_does_not_ask_an_engine_is_not_told_what_it_said(
    cache: Recall,
) -> None:
    panel = Panel([clamd(EICAR_FOUND), spamd(MUCH_SPAM)], VERSIONS, cache)
    await judge(panel, COPIES[0])
    quick = replace(PROFILE, engines=frozenset({"spamd"}))
    verdict = await judge(panel, COPIES[0], profile=quick)
    assert [each.engine for each in verdict.findings] == ["spamd"]


async def test_a_remembered_virus_calls_the_others_off(cache: Recall) -> None:
    slow = spamd(MUCH_SPAM)
    panel = Panel([clamd(EICAR_FOUND)], VERSIONS, cache)
    await judge(panel, COPIES[0])
    slow._act = hangs()
    verdict = await judge(Panel([clamd(EICAR_FOUND), slow], VERSIONS, cache), COPIES[1])
    assert (verdict.kind, verdict.missing) == (VerdictKind.INFECTED, ())
    assert verdict.findings[0].cached


async def test_an_engine_whose_version_nobody_knows_is_given_all_of_the_content(
    cache: Recall,
) -> None:
    engine = clamd(NO_VIRUS)
    panel = Panel([engine], {}, cache)
    findings = [(await judge(panel, COPIES[0])).findings[0] for _ in range(2)]
    assert engine.given == [COPIES[0]] * 2
    assert [(each.version, each.cached) for each in findings] == [("", False)] * 2
