"""/api/v1/exemptions: subjects that no lock and no per-source limit touches."""

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query

from policy.admin.auth import Author
from policy.admin.context import Here
from policy.admin.problems import Problem
from policy.admin.routes_locks import SETTLED_WITHIN_S
from policy.admin.subject_text import read_subject
from policy.admin.views import ExemptionPage, ExemptionView, NewExemption, PageQuery
from policy.core.exemptions import Exemption

router = APIRouter(prefix="/api/v1/exemptions", tags=["exemptions"])


@router.get("", summary="Stored exemptions, newest first, and the rulebook's networks")
async def list_exemptions(
    _author: Author, here: Here, query: Annotated[PageQuery, Query()]
) -> ExemptionPage:
    exemptions = here.farm.exemptions
    part = islice(exemptions, query.offset, query.offset + query.limit)
    return ExemptionPage(
        total=len(exemptions),
        items=[ExemptionView.of(each) for each in part],
        networks=[str(each) for each in exemptions.networks.networks],
    )


@router.post("", status_code=201, summary="Exempt a subject; lifts the locks it covers")
async def create_exemption(author: Author, here: Here, wanted: NewExemption) -> ExemptionView:
    subject = read_subject(wanted.subject)
    exemption = Exemption(subject, wanted.reason, author, here.clock.unix_ms())
    revision = await here.store.put_exemption(exemption)
    await here.keeper.reached(revision, SETTLED_WITHIN_S)
    return ExemptionView.of(exemption)


@router.delete("/{subject:path}", status_code=204, summary="Remove a stored exemption")
async def remove_exemption(_author: Author, here: Here, subject: str) -> None:
    revision = await here.store.remove_exemption(read_subject(subject))
    if not revision:
        raise Problem(404, "this subject is not exempt")
    await here.keeper.reached(revision, SETTLED_WITHIN_S)
