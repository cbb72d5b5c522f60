"""/api/v1/locks: who is refused, until when, and why."""

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query

from policy.admin.auth import Author
from policy.admin.context import AdminContext, Here
from policy.admin.problems import Problem
from policy.admin.subject_text import read_subject
from policy.admin.views import LockPage, LockQuery, LockView, NewLock
from smtpgated_contracts.values.policy import Lock

router = APIRouter(prefix="/api/v1/locks", tags=["locks"])

SETTLED_WITHIN_S = 1.0
"""How long an answer waits until this replica itself knows the change it made."""


@router.get("", summary="Locks in force, newest first")
async def list_locks(_author: Author, here: Here, query: Annotated[LockQuery, Query()]) -> LockPage:
    now_ms = here.clock.unix_ms()
    found = [lock for lock in here.farm.locks if lock.holds_at(now_ms) and _fits(lock, query)]
    part = islice(found, query.offset, query.offset + query.limit)
    return LockPage(total=len(found), items=[LockView.of(lock) for lock in part])


@router.post("", status_code=201, summary="Lock a subject; takes the place of its lock")
async def create_lock(author: Author, here: Here, wanted: NewLock) -> LockView:
    subject = read_subject(wanted.subject)
    now_ms = here.clock.unix_ms()
    try:
        expires_at_ms = wanted.expires_at_ms(now_ms)
    except ValueError as error:
        raise Problem(422, str(error)) from None
    if here.farm.exemptions.cover_subject(subject):
        raise Problem(409, f"{subject} is exempt: no lock would hold; remove the exemption first")
    lock = Lock(subject, wanted.cause, expires_at_ms, now_ms, author, wanted.reason)
    await _settled(here, await here.store.put_lock(lock))
    return LockView.of(lock)


@router.delete("/{subject:path}", status_code=204, summary="Remove a lock")
async def remove_lock(_author: Author, here: Here, subject: str) -> None:
    revision = await here.store.remove_lock(read_subject(subject))
    if not revision:
        raise Problem(404, "this subject is not locked")
    await _settled(here, revision)


async def _settled(here: AdminContext, revision: int) -> None:
    await here.keeper.reached(revision, SETTLED_WITHIN_S)


def _fits(lock: Lock, query: LockQuery) -> bool:
    return query.contains in lock.subject and query.cause in ("", lock.cause)
