"""Errors as problem+json (RFC 9457). What a client sent is never echoed."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route

from service_kit.failures import Unavailable
from service_kit.logs import event

_LOG: Final = logging.getLogger(__name__)
_MOST_MISTAKES: Final = 20


class Mistake(BaseModel):
    """One thing wrong with a request."""

    where: str
    why: str


class ProblemView(BaseModel):
    """What went wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    mistakes: list[Mistake] = []


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """Raised by routes: ``detail`` is for the caller."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail)
        self.status: Final = status
        self.detail: Final = detail
        self.headers: Final = headers


PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemView"}}
        },
    }
    for status in (400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 500, 503, 507)
}
"""For the specification: what any route may answer besides its own."""


def answer_with_problems(app: FastAPI) -> None:
    """Every error of ``app`` becomes a problem. ``app.state.routes`` are its routes."""
    app.add_exception_handler(Problem, _of_ours)
    app.add_exception_handler(HTTPException, _of_starlette)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(Unavailable, _of_the_store)
    app.add_exception_handler(Exception, _of_a_bug)


def describe_problems(specification: dict[str, Any]) -> None:
    """Adds the schema that PROBLEMS refer to."""
    schema = ProblemView.model_json_schema(ref_template="#/components/schemas/{model}")
    nested = schema.pop("$defs", {})
    specification["components"]["schemas"] |= {"ProblemView": schema, **nested}


def problem(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    mistakes: list[Mistake] | None = None,
) -> JSONResponse:
    view = ProblemView(
        title=HTTPStatus(status).phrase, status=status, detail=detail, mistakes=mistakes or []
    )
    return JSONResponse(
        view.model_dump(exclude_defaults=True) | {"type": view.type},
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/problem+json",
    )


async def _of_ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return problem(error.status, error.detail, error.headers)


async def _of_starlette(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return problem(405, "not with this method", {"Allow": ", ".join(_allowed(request))})
    return problem(error.status_code, str(error.detail), error.headers)


def _allowed(request: Request) -> list[str]:
    """Starlette names the methods of one route; each of ours has one method (RFC 9110 §10.2.1)."""
    routes: Sequence[BaseRoute] = request.app.state.routes
    matching = [
        route
        for route in routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    ]
    # The first path that fits is the resource; /locks/{subject} would fit /locks/export, too.
    return sorted(
        method
        for route in matching
        if route.path == matching[0].path
        for method in route.methods or ()
    )


async def _of_validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    mistakes = [
        Mistake(where=".".join(map(str, each["loc"])), why=str(each["msg"]))
        for each in error.errors()[:_MOST_MISTAKES]
    ]
    detail = "; ".join(f"{each.where}: {each.why}" for each in mistakes)
    return problem(422, detail, mistakes=mistakes)


async def _of_the_store(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Unavailable)
    event(_LOG, logging.WARNING, "request not served", why=str(error))
    return problem(
        503, "the shared store does not answer; nothing was changed", {"Retry-After": "2"}
    )


async def _of_a_bug(_request: Request, error: Exception) -> JSONResponse:
    event(_LOG, logging.ERROR, "request failed", exc_info=error)
    return problem(500, "a bug of ours; the log of this replica has it")
