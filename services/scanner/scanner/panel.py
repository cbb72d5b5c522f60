"""The engines together: asked at the same time, under one absolute deadline, for one verdict.

No engine's failure touches another: it becomes a missing class. When one has found a virus
the others are called off, because nothing they could say would change the verdict; a class
whose engine was called off is not missing, nobody failed. Cancelling ``judge`` (the caller went
away) cancels every engine's scan at once.

Deadlines nest: an engine's own lies within the scan's. Between panel and engines is the verdict
cache, which may know the answer; every finding says where it is from. No errors leave but
cancellation.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scanner import metrics
from scanner.cache.forgetful import Forgetful
from scanner.core.content import Content
from scanner.core.plan import Plan, plan
from scanner.core.profile import EngineVersion
from scanner.core.scan_profile import ScanProfile
from scanner.core.verdict import Statement, judge, kind_of
from scanner.metrics import EngineName, EngineResult
from scanner.ports import (
    Answer,
    Engine,
    EngineFailure,
    FailureReason,
    Question,
    ScanContext,
    VerdictCache,
)
from smtpgated_contracts.values.scan import (
    EngineClass,
    Finding,
    Missing,
    Verdict,
    VerdictKind,
    unscanned,
)

_NO_CACHE: Final = Forgetful()


@dataclass(frozen=True, slots=True)
class _Heard:
    """What came of asking one engine."""

    findings: tuple[Finding, ...] = ()
    missing: tuple[Missing, ...] = ()

    @property
    def infected(self) -> bool:
        return any(finding.kind is VerdictKind.INFECTED for finding in self.findings)


@dataclass(frozen=True, slots=True)
class _Case:
    """One content before the panel."""

    content: Content
    context: ScanContext
    wanted: frozenset[EngineClass]
    deadline: float


class Panel:
    """``versions``: what each engine last said it is, by name; the watch keeps it up to date."""

    def __init__(
        self,
        engines: Sequence[Engine],
        versions: Mapping[str, EngineVersion],
        cache: VerdictCache = _NO_CACHE,
        *,
        stop_at_virus: bool = True,
    ) -> None:
        self._engines: Final = tuple(engines)
        self._profiles: Final = tuple(engine.profile for engine in engines)
        self._versions = versions
        self._cache = cache
        self._stop_at_virus = stop_at_virus
        self._clock = asyncio.get_running_loop().time

    async def judge(
        self,
        content: Content,
        context: ScanContext,
        skip: frozenset[EngineClass],
        deadline: float,
        spare: frozenset[EngineClass] = frozenset(),
    ) -> Verdict:
        """``deadline``: a moment of the loop's clock, by which there is a verdict.

        ``skip``: classes that a rule leaves out; ``spare``: that load leaves out, and that are
        missing therefore unless an engine that is asked anyway judges them.
        """
        began = self._clock()
        chosen = plan(self._profiles, context.profile, content.size_octets, skip, spare)
        for position in chosen.spared:
            metrics.SPARED(EngineName(self._profiles[position].name)).inc()
        case = _Case(content, context, chosen.wanted, deadline)
        if len(chosen.ask) == 1:
            heard = [await self._ask(chosen.ask[0], case)]
        else:
            heard = await self._ask_all(chosen, case)
        findings = [finding for each in heard for finding in each.findings]
        missing = [*chosen.missing, *(one for each in heard for one in each.missing)]
        return judge(findings, missing, self._ms_since(began))

    def unjudged(self, reason: str, profile: ScanProfile, skip: frozenset[EngineClass]) -> Verdict:
        """The verdict on content that no engine is given: what they judge is missing."""
        asked = (each.judges for each in self._profiles if profile.asks(each.name))
        judged = frozenset[EngineClass]().union(*asked) - skip
        return unscanned(reason, *sorted(judged)) if judged else judge((), (), 0)

    async def _ask_all(self, chosen: Plan, case: _Case) -> list[_Heard]:
        heard: dict[int, _Heard] = {}
        asked: list[asyncio.Task[None]] = []

        async def ask(position: int) -> None:
            heard[position] = await self._ask(position, case)
            if heard[position].infected and self._stop_at_virus:
                for other in asked:
                    if other is not asyncio.current_task():
                        other.cancel()

        # A cancelled child is no failure to a group, and _ask lets nothing else out.
        async with asyncio.TaskGroup() as group:
            asked.extend(group.create_task(ask(position)) for position in chosen.ask)
        return [heard[position] for position in sorted(heard)]

    async def _ask(self, position: int, case: _Case) -> _Heard:
        engine, profile = self._engines[position], self._profiles[position]
        # What it is now: a statement is of the version that was asked, not of one loaded meanwhile.
        version = self._versions.get(profile.name)
        began = self._clock()
        answer, result = Answer(()), EngineResult.CALLED_OFF
        try:
            answer, failure = await self._answer(engine, version, case, began)
            findings = tuple(
                finding
                for finding in self._findings(profile.name, version, case, answer, began)
                if finding.engine_class in case.wanted
                # What a failed engine did not find may still be there.
                and (failure is None or finding.kind is not VerdictKind.CLEAN)
            )
            result = _result(findings, failure)
        finally:
            if not answer.cached:
                engine_name, spent_s = EngineName(profile.name), self._clock() - began
                metrics.ENGINE_SECONDS(engine_name, result).observe(spent_s)
        if failure is None:
            return _Heard(findings)
        metrics.ENGINE_FAILURES(EngineName(profile.name), failure.reason).inc()
        why = f"{profile.name}: {failure}"
        unjudged = sorted(profile.judges & case.wanted)
        return _Heard(findings, tuple(Missing(each, why) for each in unjudged))

    async def _answer(
        self, engine: Engine, version: EngineVersion | None, case: _Case, began: float
    ) -> tuple[Answer, EngineFailure | None]:
        deadline = min(case.deadline, began + engine.profile.deadline_s)

        async def ask(content: Content) -> tuple[Statement, ...]:
            return await engine.scan(content, case.context, deadline)

        head_only = case.context.head_only
        question = Question(engine.profile, version, case.content, head_only, deadline)
        try:
            async with asyncio.timeout_at(deadline):
                return await self._cache.answer(question, ask), None
        except TimeoutError:
            return Answer(()), EngineFailure(FailureReason.TIMED_OUT)
        except EngineFailure as failure:
            return Answer(failure.found), failure

    def _findings(
        self,
        engine: str,
        version: EngineVersion | None,
        case: _Case,
        answer: Answer,
        began: float,
    ) -> Iterator[Finding]:
        spent_ms = self._ms_since(began)
        for said in answer.statements:
            yield Finding(
                engine,
                said.engine_class,
                kind_of(said, case.context.profile.suspect_at),
                said.name,
                said.score,
                spent_ms,
                "" if version is None else version.known,
                answer.cached,
            )

    def _ms_since(self, began: float) -> int:
        return round((self._clock() - began) * 1000)


def _result(findings: tuple[Finding, ...], failure: EngineFailure | None) -> EngineResult:
    if failure is not None:
        return EngineResult.FAILED
    clean = all(finding.kind is VerdictKind.CLEAN for finding in findings)
    return EngineResult.CLEAN if clean else EngineResult.FOUND
