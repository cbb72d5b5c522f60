"""Who asks, and whether he may: the bearer token that every route but health demands (RFC 6750).

A token of the file named by the settings is an admin's, so that a farm has a first one; all
others are the farm's, made over the API. A right token is served however often wrong ones came
from the same address: behind a proxy all come from one address, and a stranger must not be able
to keep the operators out. Wrong ones are throttled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from policy.admin.context import AdminContext, Here
from policy.admin.problems import Problem
from policy.core.tokens import Role, Tenancy
from policy.metrics import TOKENS_REFUSED, TOKENS_THROTTLED

_BEARER: Final = HTTPBearer(auto_error=False, description="A token of this farm.")
Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


@dataclass(frozen=True, slots=True)
class Caller:
    """``name`` is written into what he changes."""

    name: str
    role: Role
    tenancy: Tenancy

    def must_cover(self, subject: str) -> None:
        """Raises Problem 403 for a subject outside of the networks his token is for."""
        if not self.tenancy.covers(subject):
            raise Problem(403, "this token is for other networks")


def caller_of(here: AdminContext, secret: str) -> Caller | None:
    """Whose token in force that is."""
    if here.first_tokens.know(secret):
        return Caller("admin", Role.ADMIN, Tenancy())
    now_ms = here.clock.unix_ms()
    token = here.farm.tokens.of_secret(secret, now_ms)
    if token is None:
        return None
    here.uses.used(token.token_id, now_ms)
    return Caller(token.name, token.role, Tenancy(token.networks))


def caller(given: Given, here: Here, request: Request) -> Caller:
    """Raises Problem 401, or 429 for who tried too many wrong ones."""
    found = caller_of(here, given.credentials) if given else None
    if found is not None:
        return found
    TOKENS_REFUSED().inc()
    address = request.client.host if request.client else ""
    if given is not None:
        wait_s = here.throttle.failed(address)
        if wait_s:
            TOKENS_THROTTLED().inc()
            raise Problem(429, "too many wrong tokens", {"Retry-After": str(wait_s)})
    raise Problem(401, "a bearer token of this farm is needed", {"WWW-Authenticate": "Bearer"})


Somebody = Annotated[Caller, Depends(caller)]


def _needs(role: Role, *, whole_farm: bool) -> Callable[[Caller], Caller]:
    def checked(asking: Somebody) -> Caller:
        if not asking.role.may(role):
            raise Problem(403, f"this needs a token of the role {role}")
        if whole_farm and asking.tenancy.networks:
            raise Problem(403, "this needs a token that is not limited to networks")
        return asking

    return checked


def viewer_unless_open(given: Given, here: Here, request: Request) -> None:
    """Anybody may ask when the settings open the metrics."""
    if not here.metrics_open:
        _needs(Role.VIEWER, whole_farm=True)(caller(given, here, request))


Viewer = Annotated[Caller, Depends(_needs(Role.VIEWER, whole_farm=False))]
Operator = Annotated[Caller, Depends(_needs(Role.OPERATOR, whole_farm=False))]
FarmViewer = Annotated[Caller, Depends(_needs(Role.VIEWER, whole_farm=True))]
FarmOperator = Annotated[Caller, Depends(_needs(Role.OPERATOR, whole_farm=True))]
Admin = Annotated[Caller, Depends(_needs(Role.ADMIN, whole_farm=True))]
"""Annotate a route's parameter that is who asks; Farm…: tenants are refused."""
