"""/api/v1/status, sessions, outcomes: what the farm is doing."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from policy.admin.auth import Caller, Viewer
from policy.admin.context import AdminContext, Here
from policy.admin.problems import Problem
from policy.admin.tenants import covers_outcome, seen
from policy.admin.views import (
    EdgeView,
    OutcomePage,
    OutcomeQuery,
    OutcomeView,
    SessionPage,
    SessionQuery,
    SessionView,
    StatusView,
    StoreView,
    moment,
)
from policy.core.leases import Lease
from policy.core.subjects import SubjectError, normal_address
from policy.ports import LeasePage, Summary
from service_kit.failures import Unavailable

router = APIRouter(prefix="/api/v1", tags=["farm"])

_MOST_LOOKED_THROUGH: Final = 10_000
_LOOKED_THROUGH_AT_ONCE: Final = 500


@router.get("/status", summary="The farm at a glance")
async def status(by: Viewer, here: Here) -> StatusView:
    if by.tenancy.networks:
        # Sums would tell a tenant what happens at his neighbours.
        summary, whole = Summary(0, {}, {}), False
    else:
        summary, whole = await _summary(here)
    now = moment(here.clock.unix_ms())
    assert now is not None, "clocks stand after 1970"
    stored = here.farm.stored
    watching = set() if by.tenancy.networks else set(here.watching())
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
        locks=seen(by.tenancy, here.farm.locks),
        exemptions=seen(by.tenancy, here.farm.exemptions),
        identities=0 if by.tenancy.networks else len(here.farm.identities),
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
async def sessions(by: Viewer, here: Here, query: Annotated[SessionQuery, Query()]) -> SessionPage:
    try:
        source = normal_address(query.source) if query.source else ""
    except SubjectError as error:
        raise Problem(422, f"source: {error}") from None
    if by.tenancy.networks:
        page = await _sessions_of(by, here, source, query)
    else:
        page = await here.store.sessions(source, query.offset, query.limit)
    return SessionPage(total=page.total, items=[SessionView.of(lease) for lease in page.leases])


@router.get("/outcomes", summary="What became of the latest messages, newest first")
async def outcomes(by: Viewer, here: Here, query: Annotated[OutcomeQuery, Query()]) -> OutcomePage:
    if not by.tenancy.networks:
        entries = await here.store.outcomes(query.limit)
    else:
        latest = await here.store.outcomes(_MOST_LOOKED_THROUGH)
        entries = tuple(each for each in latest if covers_outcome(by.tenancy, each))[: query.limit]
    return OutcomePage(items=[OutcomeView.of(entry) for entry in entries])


async def _summary(here: AdminContext) -> tuple[Summary, bool]:
    """The farm's, or what this replica knows alone: the status page must answer in a storm."""
    if not here.presence.away:
        try:
            return await here.store.summary(), True
        except Unavailable as error:
            here.presence.lost(error)
    live = here.limiter.live(round(here.clock.monotonic_s() * 1000))
    return Summary(live, {}, {}), False


async def _sessions_of(
    by: Caller, here: AdminContext, source: str, query: SessionQuery
) -> LeasePage:
    """A tenant's page: the farm's newest sessions are looked through, a bounded number."""
    found: list[Lease] = []
    for at in range(0, _MOST_LOOKED_THROUGH, _LOOKED_THROUGH_AT_ONCE):
        page = await here.store.sessions(source, at, _LOOKED_THROUGH_AT_ONCE)
        found += (
            lease
            for lease in page.leases
            if by.tenancy.covers_address(lease.session.session.source.address)
        )
        if page.total <= at + _LOOKED_THROUGH_AT_ONCE:
            break
    return LeasePage(len(found), tuple(found[query.offset : query.offset + query.limit]))


def _under(prefix: str, summary: Summary) -> dict[str, int]:
    return {
        name.removeprefix(prefix): count
        for name, count in sorted(summary.totals.items())
        if name.startswith(prefix)
    }
