"""The identity table in Redis: many entries a script call, and one change in the feed for them."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from policy.core.identities import MOST_IDENTITIES, IdentityEnd, NetworkIdentity
from policy.ports import IdentitiesGone
from policy.store.records import IDENTITIES
from policy.store.redis.keys import MOST_CHANGES, MOST_CHANGES_AFTER_MANY, Keys
from policy.store.redis.link import RedisLink, call
from policy.store.redis.script_files import PUT_IDENTITIES, REMOVE_IDENTITIES

MOST_IN_A_CALL: Final = 250
"""Entries in one script call: Redis does nothing else meanwhile (about 1 ms for so many)."""

_Item = TypeVar("_Item")


class RedisIdentities:
    """The identities' part of the FarmStore."""

    most_identities: int = MOST_IDENTITIES

    def __init__(self, link: RedisLink, keys: Keys) -> None:
        self._link = link
        self._tables = (keys.revision, keys.changes, keys.identities, keys.identity_expiry)

    async def put_identities(self, entries: Sequence[NetworkIdentity]) -> int:
        revision = 0
        for part in _parts(entries):
            arguments = [
                text
                for each in part
                for text in (each.network, each.expires_at_ms, IDENTITIES.to_text(each))
            ]
            (answer,) = await self._link.run(
                call(PUT_IDENTITIES, self._tables, _kept(part), self.most_identities, *arguments)
            )
            revision = int(answer)
            if not revision:
                return 0
        return revision

    async def remove_identities(self, ends: Sequence[IdentityEnd]) -> IdentitiesGone:
        revision, gone = 0, []
        for part in _parts(ends):
            arguments = [text for each in part for text in (each.network, each.identity)]
            ((answer, networks),) = await self._link.run(
                call(REMOVE_IDENTITIES, self._tables, _kept(part), *arguments)
            )
            revision = int(answer) or revision
            gone += networks
        return IdentitiesGone(revision, tuple(gone))


def _parts(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[at : at + MOST_IN_A_CALL] for at in range(0, len(items), MOST_IN_A_CALL))


def _kept(part: Sequence[object]) -> int:
    """Changes that the feed keeps after this one."""
    return MOST_CHANGES if len(part) == 1 else MOST_CHANGES_AFTER_MANY
