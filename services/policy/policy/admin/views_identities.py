"""The faces of the identity table: who has which network, as scripts tell it and people see it."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import BaseModel, Field

from policy.admin.views import Ending, Incoming, PageQuery, moment
from policy.core.identities import NetworkIdentity
from policy.core.subjects import MAX_NAME

MOST_ENTRIES: Final = 10_000
"""In one request; a longer list goes in several."""
MOST_NETWORK_CHARACTERS: Final = 64

NetworkText = Annotated[
    str,
    Field(
        max_length=MOST_NETWORK_CHARACTERS,
        examples=["192.0.2.1", "2001:db8:17::/56"],
        description="An address or a prefix, IPv4 or IPv6.",
    ),
]
IdentityText = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME, examples=["subscriber-17"], description="Who has it."),
]


class IdentityQuery(PageQuery):
    identity: str = Field(default="", max_length=MAX_NAME, description="Only networks of his.")
    address: str = Field(
        default="",
        max_length=MOST_NETWORK_CHARACTERS,
        description="Only the entry that says who has this address: the longest one round it.",
    )


class Whose(Incoming):
    identity: str = Field(
        default="", max_length=MAX_NAME, description="Only if it is still his; empty: whoever's."
    )


class NewIdentity(Ending):
    identity: IdentityText


class NewNetworkIdentity(NewIdentity):
    network: NetworkText


class NewIdentities(Incoming):
    entries: list[NewNetworkIdentity] = Field(min_length=1, max_length=MOST_ENTRIES)


class EndedIdentity(Whose):
    network: NetworkText


class EndedIdentities(Incoming):
    entries: list[EndedIdentity] = Field(min_length=1, max_length=MOST_ENTRIES)


class IdentityView(BaseModel):
    network: str
    identity: str
    author: str
    created_at: datetime | None
    expires_at: datetime | None = Field(description="null: until it is removed")

    @classmethod
    def of(cls, entry: NetworkIdentity) -> Self:
        return cls(
            network=entry.network,
            identity=entry.identity,
            author=entry.author,
            created_at=moment(entry.created_at_ms),
            expires_at=moment(entry.expires_at_ms),
        )


class IdentityPage(BaseModel):
    total: int
    items: list[IdentityView]


class CountView(BaseModel):
    count: int = Field(description="How many networks were put, or removed.")
