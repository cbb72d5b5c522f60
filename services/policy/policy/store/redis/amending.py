"""What people change, in Redis: each change with its audit entry in one script."""

from collections.abc import Mapping, Sequence
from typing import Final

from policy.core.amending import MOST_ENTRIES, Amended, Amendment, Fate, RulebookVersion
from policy.core.audit import Area, AuditEntry, Authorship
from policy.core.farm import StoredRulebook
from policy.store.records import AUTHORSHIPS, RULEBOOKS, amendment_kind, entry_to_text, expiry_of
from policy.store.redis.keys import MOST_AUDITED, MOST_CHANGES, MOST_VERSIONS, Keys
from policy.store.redis.link import Command, RedisLink, call
from policy.store.redis.script_files import AMEND, PUT_VERSION

MOST_IN_A_CALL: Final = 250
"""Amendments in one pipeline."""
_FATES: Final = (Fate.DONE, Fate.NOTHING_THERE, Fate.OVERTAKEN, Fate.FULL)


class RedisAmending:
    """The AmendingStore."""

    def __init__(self, link: RedisLink, keys: Keys) -> None:
        self._link = link
        self._keys = keys
        self._areas: Mapping[Area, tuple[str, ...]] = {
            Area.LOCK: (keys.locks, keys.lock_expiry),
            Area.EXEMPTION: (keys.exemptions,),
            Area.TOKEN: (keys.tokens,),
            Area.OVERRIDE: (keys.overrides, keys.override_expiry),
        }

    async def amend(self, amendments: Sequence[Amendment]) -> list[Amended]:
        amended: list[Amended] = []
        for at in range(0, len(amendments), MOST_IN_A_CALL):
            part = amendments[at : at + MOST_IN_A_CALL]
            answers = await self._link.run(*map(self._amend, part))
            amended += [
                Amended(_FATES[fate], int(revision), before) for fate, revision, before in answers
            ]
        return amended

    def _amend(self, amendment: Amendment) -> Command:
        keys = self._keys
        entry = amendment.entry
        # Whom a person lets go begins anew: points that stayed would lock him at the next trifle.
        points = (keys.points(amendment.subject), keys.punished)
        together = points if amendment.area is Area.LOCK else ()
        return call(
            AMEND,
            (keys.revision, keys.changes, keys.audit, *self._areas[amendment.area], *together),
            MOST_CHANGES,
            MOST_AUDITED,
            MOST_ENTRIES.get(amendment.area, 0),
            amendment.subject,
            amendment_kind(amendment),
            amendment.expected,
            entry_to_text(entry) if entry else "",
            expiry_of(entry),
            amendment.area,
            AUTHORSHIPS.to_text(amendment.by),
        )

    async def record_of(self, area: Area, subject: str) -> str:
        (text,) = await self._link.run(("HGET", self._areas[area][0], subject))
        return text or ""

    async def put_version(self, rulebook: StoredRulebook, replaces: int, by: Authorship) -> int:
        keys = self._keys
        (revision,) = await self._link.run(
            call(
                PUT_VERSION,
                (
                    *(keys.revision, keys.changes, keys.audit, keys.rulebook),
                    *(keys.rulebook_documents, keys.rulebook_versions),
                ),
                MOST_CHANGES,
                MOST_AUDITED,
                MOST_VERSIONS,
                replaces,
                rulebook.version,
                rulebook.document,
                RULEBOOKS.to_text(rulebook),
                AUTHORSHIPS.to_text(by),
            )
        )
        return int(revision)

    async def versions(self) -> tuple[RulebookVersion, ...]:
        (kept,) = await self._link.run(("HGETALL", self._keys.rulebook_versions))
        numbers = sorted(map(int, kept), reverse=True)
        sizes: list[Command] = [
            ("HSTRLEN", self._keys.rulebook_documents, number) for number in numbers
        ]
        octets = await self._link.run(*sizes) if sizes else []
        return tuple(
            RulebookVersion(number, AUTHORSHIPS.from_text(kept[str(number)]), int(size))
            for number, size in zip(numbers, octets, strict=True)
        )

    async def document_of(self, version: int) -> str | None:
        (document,) = await self._link.run(("HGET", self._keys.rulebook_documents, version))
        return document if isinstance(document, str) else None

    async def audit(self, before: str, limit: int) -> tuple[AuditEntry, ...]:
        (found,) = await self._link.run(
            ("XREVRANGE", self._keys.audit, f"({before}" if before else "+", "-", "COUNT", limit)
        )
        return tuple(_audited(entry_id, fields) for entry_id, fields in found)

    async def tokens_used(self, used_at_ms: Mapping[str, int]) -> None:
        if used_at_ms:
            pairs = [part for each in used_at_ms.items() for part in each]
            await self._link.run(("HSET", self._keys.tokens_used, *pairs))

    async def token_uses(self) -> Mapping[str, int]:
        (found,) = await self._link.run(("HGETALL", self._keys.tokens_used))
        return {token_id: int(at_ms) for token_id, at_ms in found.items()}


def _audited(entry_id: str, fields: Mapping[str, str]) -> AuditEntry:
    return AuditEntry(
        entry_id,
        Area(fields["area"]),
        fields["subject"],
        AUTHORSHIPS.from_text(fields["by"]),
        fields["before"],
        fields["after"],
    )
