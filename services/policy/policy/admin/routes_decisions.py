"""/api/v1/decisions, shadows, replay: what was decided and why, what would have been."""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Final

from fastapi import APIRouter, Query

from policy.admin.auth import Caller, FarmViewer, Viewer
from policy.admin.context import AdminContext, Here
from policy.admin.problems import Problem
from policy.admin.routes_rulebook import asked_for, text_of
from policy.admin.views_decisions import (
    DecisionExplained,
    DecisionPage,
    DecisionQuery,
    DecisionView,
    ReplayView,
    ShadowDay,
    ShadowedPage,
    ShadowedView,
    ShadowQuery,
    ShadowSubjectQuery,
    ShadowView,
    WantedReplay,
)
from policy.admin.views_simulation import ConsideredView
from policy.core.decisions import DecidedBy, KeptDecision, day_of, facts_of
from policy.core.replay import replay
from policy.core.subjects import SubjectError, normal_address
from rulebook.document import parse
from rulebook.errors import RulebookError
from rulebook.explain import explain
from rulebook.values import Rulebook

REPLAY_PATH: Final = "/api/v1/replay"
router = APIRouter(prefix="/api/v1", tags=["decisions"])

_READ_AT_ONCE: Final = 500
_MOST_READ: Final = 20_000


@router.get("/decisions", summary="What was decided, newest first")
async def list_decisions(
    by: Viewer, here: Here, query: Annotated[DecisionQuery, Query()]
) -> DecisionPage:
    source = _address(query.source) if query.source else ""
    found: list[KeptDecision] = []
    before, read = query.before, 0
    while read < _MOST_READ:
        part = await here.store.decisions(before, _READ_AT_ONCE)
        read += len(part)
        for placed in part:
            before = placed.place
            if _fits(placed.decision, query, source) and _may_see(by, placed.decision):
                found.append(placed.decision)
                if len(found) == query.limit:
                    return _page(found, before)
        if len(part) < _READ_AT_ONCE:
            return _page(found, "")
    return _page(found, before)


@router.get("/decisions/{decision_id}", summary="One decision, and every rule considered for it")
async def explain_decision(by: Viewer, here: Here, decision_id: str) -> DecisionExplained:
    kept = await here.store.decision(decision_id)
    if kept is None or not _may_see(by, kept):
        raise Problem(404, "no such decision is kept")
    considered, unexplained = await _considered(by, here, kept)
    shown = DecisionView.of(kept).model_dump()
    return DecisionExplained(**shown, considered=considered, unexplained=unexplained)


@router.get("/shadows", summary="How often rules and limits in shadow would have bitten on a day")
async def shadows(_by: FarmViewer, here: Here, query: Annotated[ShadowQuery, Query()]) -> ShadowDay:
    day = query.day or day_of(here.clock.unix_ms())
    totals = await here.store.shadow_totals(day)
    items = [ShadowView(rule_id=rule, times=times) for rule, times in _most_first(totals.items())]
    return ShadowDay(day=day, items=items)


@router.get("/shadows/{rule_id}", summary="Whom one of them would have bitten")
async def shadowed(
    by: Viewer, here: Here, rule_id: str, query: Annotated[ShadowSubjectQuery, Query()]
) -> ShadowedPage:
    day = query.day or day_of(here.clock.unix_ms())
    counts = await here.store.shadow_subjects(day, rule_id)
    seen = [each for each in counts.items() if _may_see_subject(by, each[0])]
    page = _most_first(seen)[query.offset : query.offset + query.limit]
    return ShadowedPage(
        day=day,
        rule_id=rule_id,
        total=len(seen),
        items=[ShadowedView(subject=subject, times=times) for subject, times in page],
    )


@router.post("/replay", summary="What other rules would have made of what was decided")
async def replay_decisions(_by: FarmViewer, here: Here, wanted: WantedReplay) -> ReplayView:
    version, book = await asked_for(here, wanted.version, wanted.document)
    decisions: list[KeptDecision] = []
    before = ""
    while len(decisions) < wanted.latest:
        at_once = min(_READ_AT_ONCE, wanted.latest - len(decisions))
        part = await here.store.decisions(before, at_once)
        decisions += [placed.decision for placed in part]
        if len(part) < at_once:
            break
        before = part[-1].place
    replayed = await asyncio.to_thread(replay, book, decisions)
    since_ms = decisions[-1].at_ms if decisions else 0
    return ReplayView.of(version, len(decisions), since_ms, replayed)


async def _considered(
    by: Caller, here: AdminContext, kept: KeptDecision
) -> tuple[list[ConsideredView] | None, str]:
    if kept.by is not DecidedBy.RULES:
        return None, "locks and limits decided: see why"
    try:
        book = await _book_of(by, here, kept.rulebook_version)
    except (Problem, RulebookError):
        return None, f"version {kept.rulebook_version} of the rulebook is not to be had any more"
    rules = await asyncio.to_thread(explain, book, kept.phase, facts_of(kept))
    return [ConsideredView.of(each) for each in rules], ""


async def _book_of(by: Caller, here: AdminContext, version: int) -> Rulebook:
    """Old rulebooks are for those who may see the whole farm. Raises Problem, RulebookError."""
    stored = here.farm.stored
    if stored is not None and stored.version == version:
        return here.farm.rulebook
    if by.tenancy.networks:
        raise Problem(404, "not in force any more")
    return await asyncio.to_thread(parse, await text_of(here, version))


def _fits(kept: KeptDecision, query: DecisionQuery, source: str) -> bool:
    wanted = (
        (query.by, kept.by),
        (query.session, kept.session_id),
        (source, kept.source),
        (query.identity, kept.identity),
        (query.edge, kept.edge_id),
        (query.phase, kept.phase),
        (query.action, kept.action),
        (query.cause, kept.cause),
    )
    return all(want in (None, "", is_) for want, is_ in wanted)


def _may_see(by: Caller, kept: KeptDecision) -> bool:
    return by.tenancy.covers_address(kept.source)


def _may_see_subject(by: Caller, subject: str) -> bool:
    if not by.tenancy.networks:
        return True
    try:
        return bool(subject) and by.tenancy.covers(subject)
    except (SubjectError, ValueError):
        return False


def _most_first(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(counts, key=lambda each: (-each[1], each[0]))


def _page(found: list[KeptDecision], following: str) -> DecisionPage:
    return DecisionPage(items=[DecisionView.of(each) for each in found], next=following)


def _address(text: str) -> str:
    try:
        return normal_address(text)
    except SubjectError as error:
        raise Problem(422, f"source: {error}") from None
