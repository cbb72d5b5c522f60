"""/api/v1/exemptions: subjects that no lock and no per-source limit touches."""

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query, Response

from policy.admin.amending import (
    IfMatch,
    IfNoneMatch,
    Reason,
    amend,
    authorship,
    etag_of,
    expected,
)
from policy.admin.auth import Operator, Viewer
from policy.admin.context import Here
from policy.admin.filtering import kept
from policy.admin.problems import Problem
from policy.admin.subject_text import read_subject
from policy.admin.views import ExemptionPage, ExemptionQuery, ExemptionView, NewExemption
from policy.core.amending import Amendment
from policy.core.audit import Area
from policy.core.exemptions import Exemption

router = APIRouter(prefix="/api/v1/exemptions", tags=["exemptions"])


@router.get("", summary="Stored exemptions, newest first, and the rulebook's networks")
async def list_exemptions(
    by: Viewer, here: Here, query: Annotated[ExemptionQuery, Query()]
) -> ExemptionPage:
    found = await kept(
        here.farm.exemptions,
        lambda each: query.contains in each.subject and by.tenancy.covers(each.subject),
    )
    part = islice(found, query.offset, query.offset + query.limit)
    networks = [str(each) for each in here.farm.exemptions.networks.networks]
    return ExemptionPage(
        total=len(found),
        items=[ExemptionView.of(each) for each in part],
        networks=[each for each in networks if by.tenancy.covers(f"prefix:{each}")],
    )


@router.post("", status_code=201, summary="Exempt a subject; lifts the locks it covers")
async def create_exemption(
    by: Operator,
    here: Here,
    wanted: NewExemption,
    answer: Response,
    if_match: IfMatch = "",
    if_none_match: IfNoneMatch = "",
) -> ExemptionView:
    subject = read_subject(wanted.subject)
    by.must_cover(subject)
    exemption = Exemption(subject, wanted.reason, by.name, here.clock.unix_ms())
    made = authorship(here, by, wanted.reason)
    wants = expected(if_match, if_none_match)
    change = Amendment(Area.EXEMPTION, subject, exemption, made, wants)
    answer.headers["ETag"] = await amend(here, change)
    return ExemptionView.of(exemption)


@router.get("/{subject:path}", summary="The exemption of exactly this subject; its ETag")
async def read_exemption(by: Viewer, here: Here, subject: str, answer: Response) -> ExemptionView:
    named = read_subject(subject)
    found = next((each for each in here.farm.exemptions if each.subject == named), None)
    if found is None or not by.tenancy.covers(named):
        raise Problem(404, "this subject is not exempt")
    answer.headers["ETag"] = await etag_of(here, Area.EXEMPTION, named)
    return ExemptionView.of(found)


@router.delete("/{subject:path}", status_code=204, summary="Remove a stored exemption")
async def remove_exemption(
    by: Operator, here: Here, subject: str, reason: Reason = "", if_match: IfMatch = ""
) -> None:
    named = read_subject(subject)
    by.must_cover(named)
    wants = expected(if_match, "")
    made = authorship(here, by, reason)
    await amend(here, Amendment(Area.EXEMPTION, named, None, made, wants))
