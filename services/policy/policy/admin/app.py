"""The FastAPI application, assembled from a context alone: it can run beside the gRPC service
or in a process of its own."""

from typing import Final

from fastapi import FastAPI

from policy.admin import (
    routes_audit,
    routes_copies,
    routes_decisions,
    routes_exemptions,
    routes_farm,
    routes_identities,
    routes_limits,
    routes_live,
    routes_locks,
    routes_overrides,
    routes_pages,
    routes_penalties,
    routes_process,
    routes_rulebook,
    routes_simulation,
    routes_tokens,
)
from policy.admin.auth import caller_of
from policy.admin.context import AdminContext
from policy.admin.guards import BoundedBody, SafeHeaders
from policy.admin.problems import PROBLEMS, answer_with_problems

_DESCRIPTION = """\
Everything an operator can see and do in the farm. Every route but `/healthz` and `/readyz`
needs a bearer token. Errors are problem+json (RFC 9457). Times are UTC.
"""
_ROUTES: Final = (
    routes_farm,
    routes_live,
    routes_copies,  # before the routes that take any subject
    routes_locks,
    routes_exemptions,
    routes_limits,
    routes_overrides,
    routes_penalties,
    routes_identities,
    routes_rulebook,
    routes_simulation,
    routes_decisions,
    routes_audit,
    routes_tokens,
    routes_process,
    routes_pages,
)
_LARGER_BODIES: Final = {
    **dict.fromkeys(
        (routes_identities.PATH, routes_identities.REMOVE_PATH),
        routes_identities.LARGEST_BODY_OCTETS,
    ),
    **dict.fromkeys(
        (routes_rulebook.PATH, routes_rulebook.VALIDATE_PATH),
        routes_rulebook.LARGEST_BODY_OCTETS,
    ),
    **dict.fromkeys(
        (routes_copies.LOCKS_PATH, routes_copies.EXEMPTIONS_PATH, routes_copies.OVERRIDES_PATH),
        routes_copies.LARGEST_BODY_OCTETS,
    ),
    routes_simulation.PATH: routes_simulation.LARGEST_BODY_OCTETS,
    routes_decisions.REPLAY_PATH: routes_simulation.LARGEST_BODY_OCTETS,
}


def build_admin(context: AdminContext) -> FastAPI:
    app = FastAPI(
        title="SMTP-Gated policy",
        version=context.version,
        description=_DESCRIPTION,
        # The specification and the docs page are routes of ours: they need the token.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=PROBLEMS,
    )
    app.state.context = context
    for module in _ROUTES:
        app.include_router(module.router)
    app.state.routes = [route for module in _ROUTES for route in module.router.routes]
    answer_with_problems(app)
    app.add_middleware(
        BoundedBody,
        larger=_LARGER_BODIES,
        know=lambda secret: caller_of(context, secret) is not None,
    )
    app.add_middleware(SafeHeaders)
    return app
