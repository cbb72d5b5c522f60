"""The bearer token that every route but health demands (RFC 6750)."""

from typing import Annotated, Final

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from policy.admin.context import AdminContext, Here
from policy.admin.problems import Problem
from policy.metrics import TOKENS_REFUSED

_BEARER: Final = HTTPBearer(auto_error=False, description="A token of the admin token file.")
Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


def author(given: Given, here: Here) -> str:
    """Who asks, for the records. Raises Problem 401."""
    return _author(given, here)


def author_unless_open(given: Given, here: Here) -> str:
    """The same, but anybody may ask when the settings open the metrics."""
    return "" if here.metrics_open else _author(given, here)


def _author(given: HTTPAuthorizationCredentials | None, here: AdminContext) -> str:
    if given is None or not here.tokens.know(given.credentials):
        TOKENS_REFUSED().inc()
        raise Problem(401, "a bearer token of this farm is needed", {"WWW-Authenticate": "Bearer"})
    return "admin"


Author = Annotated[str, Depends(author)]
"""Annotates a route's parameter that is the name written into what it changes."""
