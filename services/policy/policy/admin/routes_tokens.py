"""/api/v1/tokens: who may use this API, as what, and for how long."""

import secrets
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query

from policy.admin.amending import Reason, amend, authorship
from policy.admin.auth import Admin, Somebody
from policy.admin.context import Here
from policy.admin.problems import Problem
from policy.admin.views import PageQuery
from policy.admin.views_tokens import MadeToken, NewToken, SelfView, TokenPage, TokenView
from policy.core.amending import NONE, Amendment
from policy.core.audit import Area
from policy.core.tokens import Token, digest_of

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"])

_SECRET_OCTETS = 32
_ID_OCTETS = 8


@router.get("", summary="Tokens of the farm, newest first; never their secrets")
async def list_tokens(_by: Admin, here: Here, query: Annotated[PageQuery, Query()]) -> TokenPage:
    uses = await here.store.token_uses()
    part = islice(here.farm.tokens, query.offset, query.offset + query.limit)
    return TokenPage(
        total=len(here.farm.tokens),
        items=[
            TokenView.of(each, max(uses.get(each.token_id, 0), here.uses.of(each.token_id)))
            for each in part
        ],
    )


@router.get("/self", summary="What the token of this request is for")
async def own_token(by: Somebody) -> SelfView:
    return SelfView(name=by.name, role=by.role, networks=list(by.tenancy.networks))


@router.post("", status_code=201, summary="Make a token; its secret is shown this once")
async def create_token(by: Admin, here: Here, wanted: NewToken) -> MadeToken:
    now_ms = here.clock.unix_ms()
    try:
        expires_at_ms = wanted.expires_at_ms(now_ms)
    except ValueError as error:
        raise Problem(422, str(error)) from None
    secret = secrets.token_urlsafe(_SECRET_OCTETS)
    token = Token(
        secrets.token_hex(_ID_OCTETS),
        wanted.name,
        digest_of(secret),
        wanted.role,
        tuple(wanted.networks),
        expires_at_ms,
        by.name,
        now_ms,
    )
    made = authorship(here, by, wanted.reason)
    await amend(here, Amendment(Area.TOKEN, token.token_id, token, made, NONE))
    return MadeToken(secret=secret, **TokenView.of(token, 0).model_dump())


@router.delete("/{token_id}", status_code=204, summary="Revoke a token, at once and everywhere")
async def revoke_token(by: Admin, here: Here, token_id: str, reason: Reason = "") -> None:
    await amend(here, Amendment(Area.TOKEN, token_id, None, authorship(here, by, reason)))
