"""/api/v1/overrides: subjects with limits of their own."""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Annotated, Self

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from policy.admin.amending import (
    IfMatch,
    IfNoneMatch,
    Reason,
    amend,
    authorship,
    etag_of,
    expected,
)
from policy.admin.auth import Caller, Operator, Viewer
from policy.admin.context import AdminContext, Here
from policy.admin.filtering import kept
from policy.admin.problems import Problem
from policy.admin.subject_text import read_subject
from policy.admin.views import MOST_CHARACTERS, Ending, PageQuery, SubjectText, Text, moment
from policy.core.amending import Amendment
from policy.core.audit import Area
from policy.core.overrides import CONCURRENT, MOST_LIMITS, Override, OwnLimit
from policy.core.spending import OF_ONE_SENDER
from rulebook.values import Rulebook

router = APIRouter(prefix="/api/v1/overrides", tags=["limits"])

_Limit = Annotated[int, Field(ge=1, lt=2**53 // 10)]


class OverrideQuery(PageQuery):
    contains: str = Field(
        default="", max_length=MOST_CHARACTERS, description="Only subjects with this text in them."
    )


class NewOverride(Ending):
    subject: SubjectText
    limits: Mapping[Annotated[str, Field(max_length=128)], _Limit | None] = Field(
        min_length=1,
        max_length=MOST_LIMITS,
        description="Limit id -> how much; null: no limit at all. Ids are those of rates per "
        f"source, identity or AUTH user, and {', '.join(CONCURRENT)}.",
        examples=[{"recipients-an-hour": 5000}],
    )
    reason: Text = Field(description="For the next person: why.")


class OverrideView(BaseModel):
    subject: str
    limits: dict[str, int | None]
    idle: list[str] = Field(description="Of these the rulebook in force has no limit.")
    reason: str
    author: str
    created_at: datetime | None
    expires_at: datetime | None = Field(description="null: until it is removed")

    @classmethod
    def of(cls, override: Override, book: Rulebook) -> Self:
        known = _known(book)
        return cls(
            subject=override.subject,
            limits={each.limit_id: each.limit for each in override.limits},
            idle=[each.limit_id for each in override.limits if each.limit_id not in known],
            reason=override.reason,
            author=override.author,
            created_at=moment(override.created_at_ms),
            expires_at=moment(override.expires_at_ms),
        )


class OverridePage(BaseModel):
    total: int
    items: list[OverrideView]


@router.get("", summary="Overrides in force, newest first")
async def list_overrides(
    by: Viewer, here: Here, query: Annotated[OverrideQuery, Query()]
) -> OverridePage:
    now_ms, book = here.clock.unix_ms(), here.farm.rulebook
    found = await kept(
        here.farm.overrides,
        lambda each: (
            query.contains in each.subject
            and each.holds_at(now_ms)
            and by.tenancy.covers(each.subject)
        ),
    )
    part = islice(found, query.offset, query.offset + query.limit)
    return OverridePage(total=len(found), items=[OverrideView.of(each, book) for each in part])


@router.post("", status_code=201, summary="Give a subject limits of its own")
async def create_override(
    by: Operator,
    here: Here,
    wanted: NewOverride,
    answer: Response,
    if_match: IfMatch = "",
    if_none_match: IfNoneMatch = "",
) -> OverrideView:
    override = new_override(by, here, wanted)
    made = authorship(here, by, wanted.reason)
    wants = expected(if_match, if_none_match)
    change = Amendment(Area.OVERRIDE, override.subject, override, made, wants)
    answer.headers["ETag"] = await amend(here, change)
    return OverrideView.of(override, here.farm.rulebook)


@router.get("/{subject:path}", summary="The override of exactly this subject; its ETag")
async def read_override(by: Viewer, here: Here, subject: str, answer: Response) -> OverrideView:
    named = read_subject(subject)
    found = here.farm.overrides.get(named) if by.tenancy.covers(named) else None
    if found is None or not found.holds_at(here.clock.unix_ms()):
        raise Problem(404, "this subject has no limits of its own")
    answer.headers["ETag"] = await etag_of(here, Area.OVERRIDE, named)
    return OverrideView.of(found, here.farm.rulebook)


@router.delete("/{subject:path}", status_code=204, summary="Let the rulebook's limits hold again")
async def remove_override(
    by: Operator, here: Here, subject: str, reason: Reason = "", if_match: IfMatch = ""
) -> None:
    named = read_subject(subject)
    by.must_cover(named)
    made = authorship(here, by, reason)
    await amend(here, Amendment(Area.OVERRIDE, named, None, made, expected(if_match, "")))


def new_override(by: Caller, here: AdminContext, wanted: NewOverride) -> Override:
    """Raises Problem 403 and 422."""
    subject = read_subject(wanted.subject)
    by.must_cover(subject)
    known = _known(here.farm.rulebook)
    for limit_id in wanted.limits:
        if limit_id not in known:
            raise Problem(422, f"limits: {limit_id[:64]!r} should be one of {', '.join(known)}")
    now_ms = here.clock.unix_ms()
    try:
        expires_at_ms = wanted.expires_at_ms(now_ms)
    except ValueError as error:
        raise Problem(422, str(error)) from None
    limits = tuple(OwnLimit(limit_id, limit) for limit_id, limit in wanted.limits.items())
    return Override(subject, limits, wanted.reason, by.name, now_ms, expires_at_ms)


def _known(book: Rulebook) -> list[str]:
    """What an override can name."""
    rates = [rate.id for rate in book.rates if rate.per in OF_ONE_SENDER]
    return [*dict.fromkeys(rates), *CONCURRENT]
