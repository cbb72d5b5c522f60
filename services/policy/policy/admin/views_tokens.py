"""The faces of tokens: all but the secret, which is shown once."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field

from policy.admin.views import Ending, Text, moment
from policy.core.identities import normal_network
from policy.core.tokens import Role, Token

MOST_NETWORKS = 64


def _network(text: str) -> str:
    return normal_network(text)


class NewToken(Ending):
    name: Annotated[Text, Field(max_length=64)] = Field(description="Whose it is; for the audit.")
    role: Role
    networks: list[Annotated[str, Field(max_length=64), AfterValidator(_network)]] = Field(
        default=[],
        max_length=MOST_NETWORKS,
        description="A tenant's: he sees and touches only what lies inside. Empty: everything.",
        examples=[["192.0.2.0/24", "2001:db8::/48"]],
    )
    reason: Text


class TokenView(BaseModel):
    token_id: str
    name: str
    role: Role
    networks: list[str]
    author: str
    created_at: datetime | None
    expires_at: datetime | None = Field(description="null: until it is revoked")
    last_used_at: datetime | None = Field(description="To the minute; null: never.")

    @classmethod
    def of(cls, token: Token, used_at_ms: int) -> Self:
        return cls(
            token_id=token.token_id,
            name=token.name,
            role=token.role,
            networks=list(token.networks),
            author=token.author,
            created_at=moment(token.created_at_ms),
            expires_at=moment(token.expires_at_ms),
            last_used_at=moment(used_at_ms),
        )


class MadeToken(TokenView):
    secret: str = Field(description="Shown this once; the farm keeps its SHA-256 alone.")


class TokenPage(BaseModel):
    total: int
    items: list[TokenView]


class SelfView(BaseModel):
    name: str
    role: Role
    networks: list[str]
