"""/api/v1/rulebook: the rules in force, a new version of them, the old ones, and the way back.

A document is the body itself: TOML, or JSON with the same keys. It is read in a thread, because
one of the largest takes a second, and taken whole or not at all.
"""

import asyncio
from difflib import unified_diff
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from policy.admin.amending import SETTLED_WITHIN_S, IfMatch, authorship, tag_in
from policy.admin.auth import Admin, Caller, FarmViewer
from policy.admin.context import AdminContext, Here
from policy.admin.problems import Problem
from policy.admin.views_rulebook import (
    Rollback,
    RulebookQuery,
    RulebookView,
    SoundView,
    VersionPage,
    VersionView,
)
from policy.core.farm import StoredRulebook
from rulebook.document import MAX_DOCUMENT_OCTETS, parse
from rulebook.errors import RulebookError
from rulebook.values import Rulebook

PATH: Final = "/api/v1/rulebook"
VALIDATE_PATH: Final = f"{PATH}/validate"
LARGEST_BODY_OCTETS: Final = MAX_DOCUMENT_OCTETS
MOST_COMPARED_LINES: Final = 20_000
"""Of both documents together: comparing is quadratic at worst."""

router = APIRouter(prefix=PATH, tags=["rulebook"])

_TYPES: Final = ("application/toml", "text/plain", "application/json")
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string"}} for kind in _TYPES},
    }
}


@router.get("", summary="The rulebook in force; its ETag for If-Match")
async def rulebook(_by: FarmViewer, here: Here, answer: Response) -> RulebookView:
    stored = _stored(here)
    answer.headers["ETag"] = f'"{stored.version}"'
    return RulebookView(version=stored.version, document=stored.document)


@router.put("", summary="Put a new rulebook in force", openapi_extra=_BODY)
async def put_rulebook(
    by: Admin,
    here: Here,
    request: Request,
    query: Annotated[RulebookQuery, Query()],
    answer: Response,
    if_match: IfMatch = "",
) -> VersionView:
    document = await _document(request)
    await sound(document)
    return await _put(here, by, document, query.reason, if_match, answer)


@router.post("/validate", summary="Say what is wrong with a rulebook", openapi_extra=_BODY)
async def validate(_by: FarmViewer, request: Request) -> SoundView:
    return SoundView.of(await sound(await _document(request)))


@router.get("/versions", summary="Rulebooks that were put in force, newest first")
async def versions(_by: FarmViewer, here: Here) -> VersionPage:
    return VersionPage(items=[VersionView.of(each) for each in await here.store.versions()])


@router.get("/versions/{version}", summary="An old rulebook")
async def version(_by: FarmViewer, here: Here, version: int) -> RulebookView:
    return RulebookView(version=version, document=await text_of(here, version))


@router.get(
    "/versions/{version}/diff",
    summary="What a version changed, as a unified diff",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def diff(
    _by: FarmViewer,
    here: Here,
    version: int,
    against: Annotated[int | None, Query(description="Left out: the version before.")] = None,
) -> Response:
    before = version - 1 if against is None else against
    old, new = await text_of(here, before), await text_of(here, version)
    lines = old.splitlines(), new.splitlines()
    if sum(map(len, lines)) > MOST_COMPARED_LINES:
        raise Problem(422, f"together they have more than {MOST_COMPARED_LINES} lines")
    found = await asyncio.to_thread(_diff, *lines, f"version {before}", f"version {version}")
    return Response(found, media_type="text/plain; charset=utf-8")


@router.post("/rollback", summary="Put an old rulebook in force again, as a new version")
async def rollback(
    by: Admin, here: Here, wanted: Rollback, answer: Response, if_match: IfMatch = ""
) -> VersionView:
    document = await text_of(here, wanted.version)
    await sound(document)
    return await _put(here, by, document, wanted.reason, if_match, answer)


async def _put(
    here: AdminContext,
    by: Caller,
    document: str,
    reason: str,
    if_match: str,
    answer: Response,
) -> VersionView:
    replaces = _stored(here).version
    if if_match and tag_in(if_match) != str(replaces):
        raise Problem(412, f"version {replaces} is in force by now: read it again")
    new = StoredRulebook(replaces + 1, document)
    made = authorship(here, by, reason)
    revision = await here.store.put_version(new, replaces, made)
    if not revision:
        raise Problem(412 if if_match else 409, "another rulebook was put in force meanwhile")
    await here.keeper.reached(revision, SETTLED_WITHIN_S)
    answer.headers["ETag"] = f'"{new.version}"'
    return VersionView.made(new, made)


async def _document(request: Request) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise Problem(415, f"a rulebook is sent as {' or '.join(_TYPES)}")
    try:
        return (await request.body()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(422, f"the document is not UTF-8: octet {error.start}") from None


async def sound(document: str) -> Rulebook:
    try:
        return await asyncio.to_thread(parse, document)
    except RulebookError as error:
        raise Problem(422, str(error)) from None


async def asked_for(
    here: AdminContext, version: int | None, document: str | None
) -> tuple[int, Rulebook]:
    """That version (None: the one in force), or that document, which has version 0."""
    if document is not None:
        if version is not None:
            raise Problem(422, "give version or document, not both")
        return 0, await sound(document)
    stored = _stored(here)
    if version in (None, stored.version):
        return stored.version, here.farm.rulebook
    assert version is not None, "compared above"
    return version, await sound(await text_of(here, version))


async def text_of(here: AdminContext, version: int) -> str:
    stored = _stored(here)
    if version == stored.version:
        return stored.document
    document = await here.store.document_of(version) if 0 < version < 2**31 else None
    if document is None:
        raise Problem(404, "no such version is kept")
    return document


def _stored(here: AdminContext) -> StoredRulebook:
    if here.farm.stored is None:
        raise Problem(503, "no rulebook yet: the store was not reached since the start")
    return here.farm.stored


def _diff(old: list[str], new: list[str], before: str, after: str) -> str:
    return "".join(f"{line}\n" for line in unified_diff(old, new, before, after, lineterm=""))
