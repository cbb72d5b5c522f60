"""/api/v1/penalties: who has points, how many are left of them, and forgiving."""

from typing import Annotated, Final, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from policy.admin.amending import Reason, amend, authorship
from policy.admin.auth import Operator, Viewer
from policy.admin.context import AdminContext, Here
from policy.admin.problems import Problem
from policy.admin.subject_text import read_subject
from policy.admin.views import MOST_CHARACTERS, PageQuery
from policy.core.amending import Amendment
from policy.core.audit import Area
from policy.core.penalties import AUTHOR, Points, stage_of
from policy.ports import Punished
from smtpgated_contracts.values.policy import Stage

router = APIRouter(prefix="/api/v1/penalties", tags=["locks"])

_READ_AT_ONCE: Final = 500
_MOST_READ: Final = 50_000


class PenaltyQuery(PageQuery):
    contains: str = Field(
        default="", max_length=MOST_CHARACTERS, description="Only subjects with this text in them."
    )
    stage: Stage | None = Field(
        default=None, description="Only whose points reach it, and no more."
    )


class PenaltyView(BaseModel):
    subject: str
    points: float = Field(description="What is left of them now.")
    stage: Stage | None = Field(description="The strictest one they reach; null: none.")

    @classmethod
    def of(cls, here: AdminContext, subject: str, points: Points) -> Self:
        rules, now_ms = here.farm.rulebook.penalty, here.clock.unix_ms()
        left = points.at(now_ms, rules.half_life_s * 1000)
        return cls(subject=subject, points=round(left, 3), stage=stage_of(left, rules))


class PenaltyPage(BaseModel):
    total: int
    items: list[PenaltyView]


@router.get("", summary="Who has points, the latest first")
async def list_penalties(
    by: Viewer, here: Here, query: Annotated[PenaltyQuery, Query()]
) -> PenaltyPage:
    found = [
        view
        for each in await _all(here)
        if query.contains in each.subject and by.tenancy.covers(each.subject)
        if query.stage in (None, (view := PenaltyView.of(here, *each.pair)).stage)
    ]
    return PenaltyPage(total=len(found), items=found[query.offset : query.offset + query.limit])


@router.get("/{subject:path}", summary="The points of exactly this subject")
async def read_penalty(by: Viewer, here: Here, subject: str) -> PenaltyView:
    named = read_subject(subject)
    points = await here.store.points_of(named) if by.tenancy.covers(named) else None
    if points is None:
        raise Problem(404, "this subject has no points")
    return PenaltyView.of(here, named, points)


@router.delete("/{subject:path}", status_code=204, summary="Forgive: points and their lock go")
async def forgive(by: Operator, here: Here, subject: str, reason: Reason = "") -> None:
    named = read_subject(subject)
    by.must_cover(named)
    made = authorship(here, by, reason)
    forgiven = await here.store.forgive(named, made)
    lock = here.farm.locks.get(named)
    if lock is not None and lock.author == AUTHOR:
        await amend(here, Amendment(Area.LOCK, named, None, made))
    elif not forgiven:
        raise Problem(404, "this subject has no points")


async def _all(here: AdminContext) -> list[Punished]:
    found: list[Punished] = []
    for offset in range(0, _MOST_READ, _READ_AT_ONCE):
        part = await here.store.penalties(offset, _READ_AT_ONCE)
        found += part.penalties
        if offset + _READ_AT_ONCE >= part.total:
            break
    return found
