"""/api/v1/locks: who is held back, how, until when, and why."""

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
from policy.admin.auth import Caller, Operator, Viewer
from policy.admin.context import AdminContext, Here
from policy.admin.filtering import kept
from policy.admin.problems import Problem
from policy.admin.subject_text import read_subject
from policy.admin.views import LockPage, LockQuery, LockView, NewLock
from policy.core.amending import Amendment
from policy.core.audit import Area
from smtpgated_contracts.values.policy import Lock

router = APIRouter(prefix="/api/v1/locks", tags=["locks"])


@router.get("", summary="Locks in force, newest first")
async def list_locks(by: Viewer, here: Here, query: Annotated[LockQuery, Query()]) -> LockPage:
    now_ms = here.clock.unix_ms()
    found = await kept(
        here.farm.locks,
        lambda lock: (
            lock.holds_at(now_ms) and _fits(lock, query, now_ms) and by.tenancy.covers(lock.subject)
        ),
    )
    part = islice(found, query.offset, query.offset + query.limit)
    return LockPage(total=len(found), items=[LockView.of(lock) for lock in part])


@router.post("", status_code=201, summary="Lock a subject; takes the place of its lock")
async def create_lock(
    by: Operator,
    here: Here,
    wanted: NewLock,
    answer: Response,
    if_match: IfMatch = "",
    if_none_match: IfNoneMatch = "",
) -> LockView:
    lock = new_lock(by, here, wanted)
    if here.farm.exemptions.cover_subject(lock.subject):
        raise Problem(409, "the subject is exempt: no lock would hold; remove the exemption first")
    made = authorship(here, by, wanted.reason)
    wants = expected(if_match, if_none_match)
    change = Amendment(Area.LOCK, lock.subject, lock, made, wants)
    answer.headers["ETag"] = await amend(here, change)
    return LockView.of(lock)


@router.get("/{subject:path}", summary="The lock on exactly this subject; its ETag for If-Match")
async def read_lock(by: Viewer, here: Here, subject: str, answer: Response) -> LockView:
    named = read_subject(subject)
    lock = here.farm.locks.get(named) if by.tenancy.covers(named) else None
    if lock is None or not lock.holds_at(here.clock.unix_ms()):
        raise Problem(404, "this subject is not locked")
    answer.headers["ETag"] = await etag_of(here, Area.LOCK, named)
    return LockView.of(lock)


@router.delete("/{subject:path}", status_code=204, summary="Remove a lock")
async def remove_lock(
    by: Operator, here: Here, subject: str, reason: Reason = "", if_match: IfMatch = ""
) -> None:
    named = read_subject(subject)
    by.must_cover(named)
    wants = expected(if_match, "")
    made = authorship(here, by, reason)
    await amend(here, Amendment(Area.LOCK, named, None, made, wants))


def new_lock(by: Caller, here: AdminContext, wanted: NewLock) -> Lock:
    """Raises Problem 403, 422."""
    subject = read_subject(wanted.subject)
    by.must_cover(subject)
    now_ms = here.clock.unix_ms()
    try:
        expires_at_ms = wanted.expires_at_ms(now_ms)
    except ValueError as error:
        raise Problem(422, str(error)) from None
    return Lock(subject, wanted.cause, expires_at_ms, now_ms, by.name, wanted.reason)


def _fits(lock: Lock, query: LockQuery, now_ms: int) -> bool:
    return (
        query.contains in lock.subject
        and query.cause in ("", lock.cause)
        and query.stage in (None, lock.stage_at(now_ms))
    )
