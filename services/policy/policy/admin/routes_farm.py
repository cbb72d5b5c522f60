"""/api/v1/status, sessions, outcomes, rulebook: what the farm is doing."""

from typing import Annotated

from fastapi import APIRouter, Query

from policy.admin.auth import Author
from policy.admin.context import AdminContext, Here
from policy.admin.problems import Problem
from policy.admin.views import (
    EdgeView,
    OutcomePage,
    OutcomeQuery,
    OutcomeView,
    RulebookView,
    SessionPage,
    SessionQuery,
    SessionView,
    StatusView,
    StoreView,
    moment,
)
from policy.core.subjects import SubjectError, normal_address
from policy.ports import Summary
from service_kit.failures import Unavailable

router = APIRouter(prefix="/api/v1", tags=["farm"])


@router.get("/status", summary="The farm at a glance")
async def status(_author: Author, here: Here) -> StatusView:
    summary, whole = await _summary(here)
    now = moment(here.clock.unix_ms())
    assert now is not None, "clocks stand after 1970"
    stored = here.farm.stored
    watching = set(here.watching())
    return StatusView(
        farm=here.farm_name,
        version=here.version,
        now=now,
        started_at=moment(here.started_ms),
        ready=here.readiness.ready,
        store=StoreView(
            there=not here.presence.away,
            since=moment(here.presence.since_ms),
            why=here.presence.why,
        ),
        whole_farm=whole,
        sessions=summary.sessions,
        locks=len(here.farm.locks),
        exemptions=len(here.farm.exemptions),
        identities=len(here.farm.identities),
        rulebook_version=stored.version if stored else 0,
        messages=summary.totals.get("messages", 0),
        content_octets=summary.totals.get("content_octets", 0),
        verdicts=_under("verdict:", summary),
        dispositions=_under("disposition:", summary),
        edges=[
            EdgeView(edge_id=edge, last_contact_at=moment(at), watching_here=edge in watching)
            for edge, at in sorted((dict.fromkeys(watching, 0) | dict(summary.edges)).items())
        ],
    )


@router.get("/sessions", summary="Running sessions, newest first")
async def sessions(
    _author: Author, here: Here, query: Annotated[SessionQuery, Query()]
) -> SessionPage:
    try:
        source = normal_address(query.source) if query.source else ""
    except SubjectError as error:
        raise Problem(422, f"source: {error}") from None
    page = await here.store.sessions(source, query.offset, query.limit)
    return SessionPage(total=page.total, items=[SessionView.of(lease) for lease in page.leases])


@router.get("/outcomes", summary="What became of the latest messages, newest first")
async def outcomes(
    _author: Author, here: Here, query: Annotated[OutcomeQuery, Query()]
) -> OutcomePage:
    entries = await here.store.outcomes(query.limit)
    return OutcomePage(items=[OutcomeView.of(entry) for entry in entries])


@router.get("/rulebook", summary="The rulebook in force")
async def rulebook(_author: Author, here: Here) -> RulebookView:
    stored = here.farm.stored
    if stored is None:
        raise Problem(503, "no rulebook yet: the store was not reached since the start")
    return RulebookView(version=stored.version, document=stored.document)


async def _summary(here: AdminContext) -> tuple[Summary, bool]:
    """The farm's, or what this replica knows alone: the status page must answer in a storm."""
    if not here.presence.away:
        try:
            return await here.store.summary(), True
        except Unavailable as error:
            here.presence.lost(error)
    live = here.limiter.live(round(here.clock.monotonic_s() * 1000))
    return Summary(live, {}, {}), False


def _under(prefix: str, summary: Summary) -> dict[str, int]:
    return {
        name.removeprefix(prefix): count
        for name, count in sorted(summary.totals.items())
        if name.startswith(prefix)
    }
