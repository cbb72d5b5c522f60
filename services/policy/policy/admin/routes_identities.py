"""/api/v1/identities: which subscriber has which network, told by RADIUS, DHCP and the like."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Query

from policy.admin.amending import SETTLED_WITHIN_S
from policy.admin.auth import FarmOperator, FarmViewer
from policy.admin.context import AdminContext, Here
from policy.admin.problems import Problem
from policy.admin.views_identities import (
    CountView,
    EndedIdentities,
    EndedIdentity,
    IdentityPage,
    IdentityQuery,
    IdentityView,
    NewIdentities,
    NewIdentity,
    NewNetworkIdentity,
    Whose,
)
from policy.core.identities import (
    MOST_IDENTITIES,
    IdentityEnd,
    NetworkIdentity,
    check_identity,
    normal_network,
)
from policy.core.subjects import SubjectError, normal_address
from service_kit.failures import Unavailable

PATH: Final = "/api/v1/identities"
REMOVE_PATH: Final = f"{PATH}/remove"
LARGEST_BODY_OCTETS: Final = 4 * 1024 * 1024
"""Of the two routes that take lists; 10,000 entries with the longest names fit."""

router = APIRouter(prefix=PATH, tags=["identities"])


@router.get("", summary="Who has which network, newest first")
async def list_identities(
    _by: FarmViewer, here: Here, query: Annotated[IdentityQuery, Query()]
) -> IdentityPage:
    total, found = _found(here, query)
    part = islice(found, query.offset, query.offset + query.limit)
    return IdentityPage(total=total, items=[IdentityView.of(each) for each in part])


@router.post("", summary="Say of many networks whose they are; may be said again and again")
async def put_identities(by: FarmOperator, here: Here, wanted: NewIdentities) -> CountView:
    now_ms = here.clock.unix_ms()
    # In a thread: ten thousand networks are a tenth of a second that questions would wait.
    entries = await asyncio.to_thread(_entries, wanted.entries, by.name, now_ms)
    try:
        await _put(here, entries)
    except Unavailable as error:
        raise _partly(error) from None
    return CountView(count=len(entries))


@router.post("/remove", summary="These networks are nobody's any more")
async def remove_identities(_by: FarmOperator, here: Here, wanted: EndedIdentities) -> CountView:
    ends = await asyncio.to_thread(_ends, wanted.entries)
    try:
        gone = await here.store.remove_identities(ends)
    except Unavailable as error:
        raise _partly(error) from None
    await here.keeper.reached(gone.revision, SETTLED_WITHIN_S)
    return CountView(count=len(gone.networks))


@router.get("/{network:path}", summary="Who has exactly this network")
async def read_identity(_by: FarmViewer, here: Here, network: str) -> IdentityView:
    entry = here.farm.identities.get(_network(network))
    if entry is None or not entry.holds_at(here.clock.unix_ms()):
        raise Problem(404, "nobody is said to have this network")
    return IdentityView.of(entry)


@router.put("/{network:path}", summary="Say whose a network is; takes the place of what was said")
async def put_identity(
    by: FarmOperator, here: Here, network: str, wanted: NewIdentity
) -> IdentityView:
    named = NewNetworkIdentity(
        network=_network(network),
        identity=wanted.identity,
        duration_s=wanted.duration_s,
        expires_at=wanted.expires_at,
    )
    (entry,) = _entries([named], by.name, here.clock.unix_ms())
    await _put(here, [entry])
    return IdentityView.of(entry)


@router.delete("/{network:path}", status_code=204, summary="A network is nobody's any more")
async def remove_identity(
    _by: FarmOperator, here: Here, network: str, whose: Annotated[Whose, Query()]
) -> None:
    gone = await here.store.remove_identities([IdentityEnd(_network(network), whose.identity)])
    if not gone.networks:
        raise Problem(404, "nobody is said to have this network, or it is another's by now")
    await here.keeper.reached(gone.revision, SETTLED_WITHIN_S)


def _found(here: AdminContext, query: IdentityQuery) -> tuple[int, Iterable[NetworkIdentity]]:
    table, now_ms = here.farm.identities, here.clock.unix_ms()
    if not query.address and not query.identity:
        # Counted with those that expired a moment ago: to tell them apart all would be looked at.
        return len(table), (each for each in table if each.holds_at(now_ms))
    if query.address:
        try:
            entry = table.of(normal_address(query.address), now_ms)
        except SubjectError as error:
            raise Problem(422, f"address: {error}") from None
        found = [entry] if entry and query.identity in ("", entry.identity) else []
    else:
        found = [each for each in table.of_identity(query.identity) if each.holds_at(now_ms)]
    return len(found), found


async def _put(here: AdminContext, entries: Sequence[NetworkIdentity]) -> None:
    revision = await here.store.put_identities(entries)
    if not revision:
        raise Problem(507, f"the table is full: it has at most {MOST_IDENTITIES} networks")
    await here.keeper.reached(revision, SETTLED_WITHIN_S)


def _entries(
    wanted: Sequence[NewNetworkIdentity], author: str, now_ms: int
) -> list[NetworkIdentity]:
    """Raises Problem 422 for the first that makes no sense."""
    entries = []
    for at, each in enumerate(wanted):
        try:
            entries.append(
                NetworkIdentity(
                    normal_network(each.network),
                    check_identity(each.identity),
                    each.expires_at_ms(now_ms),
                    author,
                    now_ms,
                )
            )
        except ValueError as error:
            raise Problem(422, f"entries[{at}]: {error}") from None
    return entries


def _ends(wanted: Sequence[EndedIdentity]) -> list[IdentityEnd]:
    ends = []
    for at, each in enumerate(wanted):
        try:
            ends.append(IdentityEnd(normal_network(each.network), each.identity))
        except SubjectError as error:
            raise Problem(422, f"entries[{at}]: {error}") from None
    return ends


def _network(text: str) -> str:
    try:
        return normal_network(text)
    except SubjectError as error:
        raise Problem(422, f"network: {error}") from None


def _partly(error: Unavailable) -> Problem:
    return Problem(
        503,
        f"the shared store does not answer ({error.kind}); a part of the list may be stored: "
        "send all of it again",
        {"Retry-After": "2"},
    )
