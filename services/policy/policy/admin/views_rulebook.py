"""The faces of rulebooks and their versions."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from policy.admin.views import Incoming, Text, moment
from policy.core.amending import RulebookVersion
from policy.core.audit import Authorship
from policy.core.farm import StoredRulebook
from rulebook.values import Rulebook


class RulebookQuery(Incoming):
    reason: Text = Field(description="Why, for the audit.")


class Rollback(Incoming):
    version: int = Field(ge=1, lt=2**31)
    reason: Text


class RulebookView(BaseModel):
    version: int
    document: str = Field(description="As it was put: TOML or JSON.")


class SoundView(BaseModel):
    """A document without a mistake, counted."""

    rules: int
    rates: int
    exempt_networks: int

    @classmethod
    def of(cls, rulebook: Rulebook) -> Self:
        return cls(
            rules=sum(map(len, rulebook.rules.values())),
            rates=len(rulebook.rates),
            exempt_networks=len(rulebook.exempt.networks),
        )


class VersionView(BaseModel):
    version: int
    author: str
    reason: str
    at: datetime | None
    octets: int

    @classmethod
    def of(cls, version: RulebookVersion) -> Self:
        return cls(
            version=version.version,
            author=version.by.author,
            reason=version.by.reason,
            at=moment(version.by.at_ms),
            octets=version.octets,
        )

    @classmethod
    def made(cls, stored: StoredRulebook, by: Authorship) -> Self:
        octets = len(stored.document.encode())
        return cls.of(RulebookVersion(stored.version, by, octets))


class VersionPage(BaseModel):
    items: list[VersionView]
