"""/api/v1/locks/export and import, of exemptions and overrides too: JSON lines, a record each.

An export is a picture of the moment it began. An import is read and checked whole before anything
is put; then it is put in steps, each record with its audit entry. If the store is lost half way,
the answer says so, and sending all of it again does no harm.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from policy.admin.amending import SETTLED_WITHIN_S, authorship
from policy.admin.auth import Caller, Operator, Viewer
from policy.admin.context import AdminContext, Here
from policy.admin.filtering import kept
from policy.admin.problems import Problem
from policy.admin.routes_locks import new_lock
from policy.admin.routes_overrides import NewOverride, OverrideView, new_override
from policy.admin.subject_text import read_subject
from policy.admin.views import ExemptionView, Incoming, LockView, NewExemption, NewLock, Text
from policy.core.amending import Amendment, Fate
from policy.core.audit import Area
from policy.core.exemptions import Exemption
from service_kit.failures import Unavailable

MOST_RECORDS: Final = 100_000
LARGEST_BODY_OCTETS: Final = 32 * 1024 * 1024
LOCKS_PATH: Final = "/api/v1/locks/import"
EXEMPTIONS_PATH: Final = "/api/v1/exemptions/import"
OVERRIDES_PATH: Final = "/api/v1/overrides/import"

router = APIRouter(prefix="/api/v1", tags=["copies"])

_LINES: Final = "application/jsonl"
_IN_A_PART: Final = 500
_MOST_AHEAD: Final = 4000
_RECORD: Final = TypeAdapter(dict[str, Any])
_EXPORTS: Final[dict[str, Any]] = {
    "response_class": StreamingResponse,
    "responses": {200: {"content": {_LINES: {"schema": {"type": "string"}}}}},
}
_BODY: Final = {
    "requestBody": {"required": True, "content": {_LINES: {"schema": {"type": "string"}}}}
}
_OURS: Final = frozenset({"author", "created_at", "stages", "idle"})
"""Of an exported record: the import says it anew."""


class ImportQuery(Incoming):
    reason: Text | None = Field(default=None, description="For records that have none.")


class ImportedView(BaseModel):
    count: int


@router.get("/locks/export", summary="All locks in force, as JSON lines", **_EXPORTS)
async def export_locks(by: Viewer, here: Here) -> StreamingResponse:
    now_ms = here.clock.unix_ms()
    locks = await kept(
        here.farm.locks,
        lambda each: each.holds_at(now_ms) and by.tenancy.covers(each.subject),
    )
    return _streamed(LockView.of(each) for each in locks)


@router.get("/exemptions/export", summary="All stored exemptions, as JSON lines", **_EXPORTS)
async def export_exemptions(by: Viewer, here: Here) -> StreamingResponse:
    found = await kept(here.farm.exemptions, lambda each: by.tenancy.covers(each.subject))
    return _streamed(ExemptionView.of(each) for each in found)


@router.get("/overrides/export", summary="All overrides in force, as JSON lines", **_EXPORTS)
async def export_overrides(by: Viewer, here: Here) -> StreamingResponse:
    now_ms, book = here.clock.unix_ms(), here.farm.rulebook
    found = await kept(
        here.farm.overrides,
        lambda each: each.holds_at(now_ms) and by.tenancy.covers(each.subject),
    )
    return _streamed(OverrideView.of(each, book) for each in found)


@router.post("/overrides/import", summary="Put many overrides, as JSON lines", openapi_extra=_BODY)
async def import_overrides(
    by: Operator, here: Here, request: Request, query: Annotated[ImportQuery, Query()]
) -> ImportedView:
    def read(record: dict[str, Any]) -> Amendment:
        override = new_override(by, here, NewOverride.model_validate(record))
        made = authorship(here, by, override.reason)
        return Amendment(Area.OVERRIDE, override.subject, override, made)

    return await _imported(here, await _records(request, query, read))


@router.post("/locks/import", summary="Put many locks, as JSON lines", openapi_extra=_BODY)
async def import_locks(
    by: Operator, here: Here, request: Request, query: Annotated[ImportQuery, Query()]
) -> ImportedView:
    def read(record: dict[str, Any]) -> Amendment:
        lock = new_lock(by, here, NewLock.model_validate(record))
        made = authorship(here, by, lock.reason)
        return Amendment(Area.LOCK, lock.subject, lock, made)

    return await _imported(here, await _records(request, query, read))


@router.post(
    "/exemptions/import", summary="Put many exemptions, as JSON lines", openapi_extra=_BODY
)
async def import_exemptions(
    by: Operator, here: Here, request: Request, query: Annotated[ImportQuery, Query()]
) -> ImportedView:
    def read(record: dict[str, Any]) -> Amendment:
        return _exempting(by, here, NewExemption.model_validate(record))

    return await _imported(here, await _records(request, query, read))


def _exempting(by: Caller, here: AdminContext, wanted: NewExemption) -> Amendment:
    subject = read_subject(wanted.subject)
    by.must_cover(subject)
    made = authorship(here, by, wanted.reason)
    exemption = Exemption(subject, wanted.reason, by.name, made.at_ms)
    return Amendment(Area.EXEMPTION, subject, exemption, made)


def _streamed(views: Iterable[BaseModel]) -> StreamingResponse:
    def parts() -> Iterator[str]:
        part: list[str] = []
        for view in views:
            part.append(view.model_dump_json() + "\n")
            if len(part) == _IN_A_PART:
                yield "".join(part)
                part.clear()
        yield "".join(part)

    return StreamingResponse(parts(), media_type=_LINES)


async def _records(
    request: Request, query: ImportQuery, read: Callable[[dict[str, Any]], Amendment]
) -> list[Amendment]:
    """In a thread: a hundred thousand of them are seconds."""
    body = await request.body()
    return await asyncio.to_thread(_checked, body, query.reason, read)


def _checked(
    body: bytes, reason: str | None, read: Callable[[dict[str, Any]], Amendment]
) -> list[Amendment]:
    """Raises Problem 422 (or what ``read`` raises) with the number of the line."""
    found: list[Amendment] = []
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        if len(found) == MOST_RECORDS:
            raise Problem(422, f"line {number}: at most {MOST_RECORDS} records at once")
        try:
            record = {
                name: value
                for name, value in _RECORD.validate_json(line).items()
                if name not in _OURS and value is not None
            }
            if reason is not None:
                record.setdefault("reason", reason)
            found.append(read(record))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            said = f"{place}: {first['msg']}" if place else first["msg"]
            raise Problem(422, f"line {number}: {said}") from None
        except Problem as problem:
            raise Problem(problem.status, f"line {number}: {problem.detail}") from None
    return found


async def _imported(here: AdminContext, amendments: Sequence[Amendment]) -> ImportedView:
    revision = 0
    for at in range(0, len(amendments), _IN_A_PART):
        try:
            for each in await here.store.amend(amendments[at : at + _IN_A_PART]):
                if each.fate is Fate.FULL:
                    raise Problem(507, f"there are as many as there may be; {at} or more are put")
                assert each.fate is Fate.DONE, "nothing was expected"
                revision = each.revision
            # Not further ahead of the replicas than the feed goes back: they would begin anew.
            await here.keeper.reached(revision - _MOST_AHEAD, SETTLED_WITHIN_S)
        except Unavailable as error:
            raise Problem(
                503,
                f"the shared store does not answer ({error.kind}); {at} of {len(amendments)} "
                "records are put: send all of it again",
                {"Retry-After": "2"},
            ) from None
    if revision:
        await here.keeper.reached(revision, SETTLED_WITHIN_S)
    return ImportedView(count=len(amendments))
