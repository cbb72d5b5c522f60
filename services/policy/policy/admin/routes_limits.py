"""/api/v1/limits: what each limit per window leaves to a subject at this moment."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel

from policy.admin.auth import Viewer
from policy.admin.context import AdminContext, Here
from policy.admin.peeking import peek
from policy.admin.problems import Problem
from policy.admin.views import MOST_CHARACTERS
from policy.admin.views_simulation import RateView
from policy.core.overrides import NO_OWN_LIMITS, UNLIMITED
from policy.core.rates import Count, Measured, Spend
from policy.core.spending import OF_ONE_SENDER, Purchase
from policy.core.subjects import SubjectError, normal_address, parse_subject
from rulebook.bearers import counted_as
from rulebook.rates import Counted, Per, Rate
from rulebook.rules import Mode

router = APIRouter(prefix="/api/v1/limits", tags=["limits"])

_KINDS: Final = {
    "address": Per.SOURCE,
    "identity": Per.IDENTITY,
    "auth": Per.AUTH_USER,
    "domain": Per.SENDER_DOMAIN,
    "destination": Per.DESTINATION,
    "total": Per.TOTAL,
}
_SOME_NAME: Final = "-"


class LimitsView(BaseModel):
    subject: str
    limits: list[RateView]


@router.get("/{subject:path}", summary="What is left to address:…, identity:…, auth:…, domain:…, …")
async def limits_of(
    by: Viewer,
    here: Here,
    subject: str,
    profile: Annotated[
        list[str], Query(max_length=32, description="Limit profiles of the session; may repeat.")
    ] = [],  # noqa: B006 - FastAPI copies it
) -> LimitsView:
    per, named = _counted(subject)
    covered = named if per is not Per.SOURCE else f"address:{subject.partition(':')[2]}"
    if per in (Per.SOURCE, Per.IDENTITY, Per.AUTH_USER):
        by.must_cover(str(parse_subject(covered)))
    elif by.tenancy.networks:
        raise Problem(403, "this needs a token that is not limited to networks")
    rates = tuple(
        rate
        for rate in here.farm.rulebook.rates
        if rate.per is per and rate.profile in ("", *profile)
    )
    own = _own(here, per, covered)
    asked = Purchase(rates, Spend(tuple(_count(rate, named, own) for rate in rates)))
    peeked = await peek(here, [asked]) if rates else [()]
    if peeked is None:
        raise Problem(503, "the shared store does not answer", {"Retry-After": "2"})
    (used,) = peeked
    return LimitsView(
        subject=named,
        limits=[RateView.of(asked, place, each) for place, each in enumerate(used)],
    )


def _counted(text: str) -> tuple[Per, str]:
    """Whom it is about, spelt as windows are named. Raises Problem 422."""
    kind, colon, value = text.partition(":")
    per = _KINDS.get(kind)
    if per is None or (per is Per.TOTAL) == bool(colon) or len(text) > MOST_CHARACTERS:
        known = ", ".join(f"{each}:…" for each in _KINDS if each != "total")
        raise Problem(422, f"subject: should be one of {known}, total")
    try:
        match per:
            case Per.SOURCE:
                return per, counted_as(normal_address(value))
            case Per.DESTINATION:
                return per, f"destination:{normal_address(value)}"
            case Per.IDENTITY | Per.AUTH_USER:
                return per, str(parse_subject(text))
            case Per.SENDER_DOMAIN:
                return per, f"domain:{value.rstrip('.').lower()}"
            case Per.TOTAL:
                return per, "total"
    except SubjectError as error:
        raise Problem(422, f"subject: {error}") from None


def _own(here: AdminContext, per: Per, subject: str) -> Mapping[str, int]:
    """What overrides say of it; of an address as far as they are about addresses."""
    if per not in OF_ONE_SENDER:
        return NO_OWN_LIMITS
    kind, _, value = subject.partition(":")
    now_ms = here.clock.unix_ms()
    if kind == "address":
        return here.farm.overrides.own_limits(normal_address(value), "", "", now_ms)
    found = here.farm.overrides.get(subject)
    if found is None or not found.holds_at(now_ms):
        return NO_OWN_LIMITS
    return {each.limit_id: UNLIMITED if each.limit is None else each.limit for each in found.limits}


def _count(rate: Rate, subject: str, own: Mapping[str, int]) -> Count:
    by_name = rate.count is Counted.DESTINATIONS
    return Count(
        rate.id,
        subject,
        rate.window_s * 1000,
        own.get(rate.id, rate.limit),
        0,
        Measured.SHADOW if rate.mode is Mode.SHADOW else Measured.ENFORCED,
        _SOME_NAME if by_name else "",
    )
