"""/api/v1/audit: who changed what, when and why, with the record before and after."""

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from policy.admin.auth import FarmViewer
from policy.admin.context import AdminContext, Here
from policy.admin.views import MOST_CHARACTERS, Incoming, moment
from policy.core.audit import Area, AuditEntry

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

_READ_AT_ONCE = 500
_MOST_READ = 10_000
_SECRETS = frozenset({"digest"})


class AuditQuery(Incoming):
    limit: int = Field(default=100, ge=1, le=500)
    before: str = Field(
        default="", pattern=r"^([0-9]{1,15}-[0-9]{1,15})?$", description="``next`` of a page."
    )
    area: Area | None = None
    subject: str = Field(default="", max_length=MOST_CHARACTERS)
    author: str = Field(default="", max_length=MOST_CHARACTERS)


class AuditView(BaseModel):
    entry_id: str
    at: datetime | None
    author: str
    reason: str
    area: Area
    subject: str
    before: Any = Field(description="The record that was there; of a rulebook its version.")
    after: Any = Field(description="The record that is there since; null: none.")


class AuditPage(BaseModel):
    items: list[AuditView]
    next: str = Field(description="For ``before``; empty: that was all.")


@router.get("", summary="Changes that people made, newest first")
async def list_audit(
    _by: FarmViewer, here: Here, query: Annotated[AuditQuery, Query()]
) -> AuditPage:
    found, following = await _found(here, query)
    return AuditPage(items=[_view(each) for each in found], next=following)


async def _found(here: AdminContext, query: AuditQuery) -> tuple[list[AuditEntry], str]:
    """A page, and where the next one begins."""
    found: list[AuditEntry] = []
    before, read = query.before, 0
    while read < _MOST_READ:
        part = await here.store.audit(before, _READ_AT_ONCE)
        read += len(part)
        for entry in part:
            before = entry.entry_id
            if _fits(entry, query):
                found.append(entry)
                if len(found) == query.limit:
                    return found, before
        if len(part) < _READ_AT_ONCE:
            return found, ""
    return found, before


def _fits(entry: AuditEntry, query: AuditQuery) -> bool:
    return (
        query.area in (None, entry.area)
        and query.subject in ("", entry.subject)
        and query.author in ("", entry.by.author)
    )


def _view(entry: AuditEntry) -> AuditView:
    return AuditView(
        entry_id=entry.entry_id,
        at=moment(entry.by.at_ms),
        author=entry.by.author,
        reason=entry.by.reason,
        area=entry.area,
        subject=entry.subject,
        before=_record(entry.before),
        after=_record(entry.after),
    )


def _record(text: str) -> Any:
    if not text:
        return None
    record = json.loads(text)
    if isinstance(record, dict):
        return {name: value for name, value in record.items() if name not in _SECRETS}
    return record
