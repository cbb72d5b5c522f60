"""/healthz, /readyz, /metrics, /api/openapi.json: about this process rather than the farm."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from policy.admin.auth import Somebody, viewer_unless_open
from policy.admin.context import Here
from policy.admin.problems import describe_problems
from service_kit.exposition import CONTENT_TYPE, exposition

router = APIRouter(tags=["process"])


@router.get("/healthz", summary="Whether the process lives")
async def healthz() -> dict[str, bool]:
    return {"alive": True}


@router.get("/readyz", summary="Whether it can answer; 503 when not")
async def readyz(here: Here) -> JSONResponse:
    """Names of what is waited for only: whoever asks here has shown no token."""
    ready = here.readiness.ready
    state = {
        "ready": ready,
        "waits_for": sorted(here.readiness.reasons),
        "store": "away" if here.presence.away else "there",
    }
    return JSONResponse(state, status_code=200 if ready else 503)


@router.get(
    "/metrics",
    summary="For Prometheus",
    dependencies=[Depends(viewer_unless_open)],
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def metrics() -> Response:
    return Response(exposition(), media_type=CONTENT_TYPE)


@router.get("/api/openapi.json", summary="The specification of this API")
async def openapi(_by: Somebody, request: Request) -> dict[str, Any]:
    specification: dict[str, Any] = request.app.openapi()
    describe_problems(specification)
    return specification
