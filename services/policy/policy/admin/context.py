"""What the routes work with, and how they get it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from policy.admin.live import LiveFeed
from policy.admin.throttle import LoginThrottle
from policy.admin.token_uses import TokenUses
from policy.admin.tokens import Tokens
from policy.core.farm import Farm
from policy.core.local_limiter import LocalLimiter
from policy.ports import PolicyStore
from policy.replica.keeper import FarmKeeper
from policy.replica.presence import StorePresence
from service_kit.clock import Clock
from service_kit.health import Readiness


@dataclass(frozen=True, slots=True)
class AdminContext:
    """``watching`` names the edges that watch this replica now.

    ``first_tokens`` are those of the file, for a farm that has no others yet.
    """

    farm_name: str
    version: str
    started_ms: int
    farm: Farm
    store: PolicyStore
    keeper: FarmKeeper
    presence: StorePresence
    limiter: LocalLimiter
    watching: Callable[[], Sequence[str]]
    readiness: Readiness
    first_tokens: Tokens
    throttle: LoginThrottle
    uses: TokenUses
    live: LiveFeed
    metrics_open: bool
    clock: Clock


def context_of(request: Request) -> AdminContext:
    return cast("AdminContext", request.app.state.context)


Here = Annotated[AdminContext, Depends(context_of)]
"""Annotates a route's parameter that is the context."""
