"""/api/v1/live: what happens in the farm, as server-sent events (HTML Living Standard §9.2)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from policy.admin.auth import Caller, Viewer
from policy.admin.context import AdminContext, Here
from policy.admin.live import MOST_LISTENERS
from policy.admin.problems import Problem
from policy.admin.routes_farm import status

router = APIRouter(prefix="/api/v1/live", tags=["live"])

STATUS_EVERY_S: Final = 5.0
_EVENTS: Final = "text/event-stream"


@router.get(
    "",
    summary="Events: status, lock, unlock, exempt, unexempt, rulebook, outcome, missed",
    response_class=StreamingResponse,
    responses={200: {"content": {_EVENTS: {"schema": {"type": "string"}}}}},
)
async def live(by: Viewer, here: Here) -> StreamingResponse:
    if here.live.is_full:
        raise Problem(503, f"there are {MOST_LISTENERS} listeners already", {"Retry-After": "10"})
    return StreamingResponse(_told(by, here), media_type=_EVENTS)


async def _told(by: Caller, here: AdminContext) -> AsyncIterator[str]:
    """The status comes first, and then so often that it is the heartbeat, too."""
    loop = asyncio.get_running_loop()
    with here.live.listening(by.tenancy) as listener:
        next_status = loop.time()
        while not listener.ended:
            if loop.time() >= next_status:
                next_status = loop.time() + STATUS_EVERY_S
                yield _event("status", (await status(by, here)).model_dump_json())
            told = await listener.next(max(0.0, next_status - loop.time()))
            if told:
                yield "".join(_event(each.kind, each.text) for each in told)


def _event(kind: str, text: str) -> str:
    """``text`` is JSON in one line."""
    return f"event: {kind}\ndata: {text}\n\n"
