"""Locks, exemptions, identities and the rulebook in Redis, and the feed of their changes.

Every change is one script that writes it, counts the revision up and adds it to the stream, all
at once; the stream's ids are the revisions, so a replica sees by the numbers whether it missed
one. The picture is read in small steps: its revision first, so that everything which changes
while it is read comes again with the feed.
"""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, TypeVar

from policy.core.exemptions import Exemption
from policy.core.farm import Change, ExemptionRemoved, LockRemoved, Picture, StoredRulebook
from policy.ports import ChangeBatch, FeedGap, LockWritten
from policy.store.records import (
    EXEMPTIONS,
    IDENTITIES,
    LOCKS,
    OVERRIDES,
    RULEBOOKS,
    TOKENS,
    RecordError,
    change_from,
    change_to,
)
from policy.store.redis.keys import MOST_CHANGES, Keys
from policy.store.redis.link import Command, RedisLink, call
from policy.store.redis.script_files import (
    FORGET_EXPIRED,
    PUT_EXEMPTION,
    PUT_LOCK,
    PUT_RULEBOOK,
    REMOVE,
)
from service_kit.clock import Clock
from service_kit.logs import event
from smtpgated_contracts.values.policy import Lock

FEED_WAIT_S: Final = 1.0
MOST_IN_A_BATCH: Final = 100
"""Changes read at once; one may hold 250 identities, and nothing else is done meanwhile."""
SWEPT_AT_ONCE: Final = 1000
MOST_SWEEPS: Final = 20
_SCAN_STEP: Final = 1000
_LOG: Final = logging.getLogger(__name__)
_Value = TypeVar("_Value")


class RedisSharedState:
    """The FarmStore."""

    def __init__(
        self, link: RedisLink, feed_link: RedisLink, keys: Keys, clock: Clock | None
    ) -> None:
        self._link = link
        self._feed_link = feed_link
        self._keys = keys
        self._clock = clock
        self._feed = (keys.revision, keys.changes)

    async def picture(self) -> Picture:
        (revision,) = await self._link.run(("GET", self._keys.revision))
        locks = [each async for each in self._hash(self._keys.locks, LOCKS.from_text)]
        exemptions = [
            each async for each in self._hash(self._keys.exemptions, EXEMPTIONS.from_text)
        ]
        identities = [
            each async for each in self._hash(self._keys.identities, IDENTITIES.from_text)
        ]
        tokens = [each async for each in self._hash(self._keys.tokens, TOKENS.from_text)]
        overrides = [each async for each in self._hash(self._keys.overrides, OVERRIDES.from_text)]
        (rulebook,) = await self._link.run(("HGETALL", self._keys.rulebook))
        stored = (
            StoredRulebook(int(rulebook["version"]), rulebook["document"]) if rulebook else None
        )
        return Picture(
            int(revision or 0),
            stored,
            tuple(locks),
            tuple(exemptions),
            tuple(identities),
            tuple(tokens),
            tuple(overrides),
        )

    async def changes_after(self, revision: int) -> ChangeBatch:
        since = f"{revision}-0"
        wait_ms = round(FEED_WAIT_S * 1000)
        read: Command = (
            *("XREAD", "COUNT", MOST_IN_A_BATCH, "BLOCK", wait_ms),
            *("STREAMS", self._keys.changes, since),
        )
        streams = await self._feed_link.wait(read, FEED_WAIT_S)
        entries = streams[0][1] if streams else []
        if not entries:
            # Silence, or a store that began anew and counts from below: one moment's look.
            current, entries = await self._feed_link.transaction(
                ("GET", self._keys.revision),
                ("XRANGE", self._keys.changes, f"({since}", "+", "COUNT", MOST_IN_A_BATCH),
            )
            if not entries and int(current or 0) == revision:
                return ChangeBatch(revision)
        if not entries or _number(entries[0]) != revision + 1:
            raise FeedGap(f"revision {revision} is not followed by what is kept")
        changes = [change for _, fields in entries for change in _readable(fields)]
        return ChangeBatch(_number(entries[-1]), tuple(changes))

    async def put_lock(self, lock: Lock) -> int:
        ((revision, _),) = await self._link.run(self._put_lock(lock, "put"))
        return int(revision)

    async def lengthen_locks(self, locks: Sequence[Lock]) -> list[LockWritten]:
        if not locks:
            return []
        answers = await self._link.run(*(self._put_lock(lock, "lengthen") for lock in locks))
        return [LockWritten(LOCKS.from_text(text), int(revision)) for revision, text in answers]

    async def remove_lock(self, subject: str) -> int:
        keys = (*self._feed, self._keys.locks, self._keys.lock_expiry)
        return await self._remove(keys, LockRemoved(subject))

    async def put_exemption(self, exemption: Exemption) -> int:
        keys = (*self._feed, self._keys.exemptions)
        arguments = (MOST_CHANGES, exemption.subject, EXEMPTIONS.to_text(exemption))
        (revision,) = await self._link.run(call(PUT_EXEMPTION, keys, *arguments))
        return int(revision)

    async def remove_exemption(self, subject: str) -> int:
        return await self._remove((*self._feed, self._keys.exemptions), ExemptionRemoved(subject))

    async def put_rulebook(self, rulebook: StoredRulebook, replaces: int) -> int:
        (revision,) = await self._link.run(
            call(
                PUT_RULEBOOK,
                (*self._feed, self._keys.rulebook),
                MOST_CHANGES,
                replaces,
                rulebook.version,
                rulebook.document,
                RULEBOOKS.to_text(rulebook),
            )
        )
        return int(revision)

    async def forget_expired(self) -> None:
        now = self._clock.unix_ms() if self._clock else 0
        keys = self._keys
        tables = (
            (keys.locks, keys.lock_expiry),
            (keys.identities, keys.identity_expiry),
            (keys.overrides, keys.override_expiry),
        )
        for _ in range(MOST_SWEEPS):
            gone = await self._link.run(*(call(FORGET_EXPIRED, each, now) for each in tables))
            if max(gone) < SWEPT_AT_ONCE:
                return

    def _put_lock(self, lock: Lock, mode: str) -> Command:
        keys = (*self._feed, self._keys.locks, self._keys.lock_expiry)
        return call(
            PUT_LOCK,
            keys,
            MOST_CHANGES,
            lock.subject,
            lock.expires_at_ms,
            LOCKS.to_text(lock),
            mode,
        )

    async def _remove(self, keys: Sequence[str], change: LockRemoved | ExemptionRemoved) -> int:
        kind, subject = change_to(change)
        (revision,) = await self._link.run(call(REMOVE, keys, MOST_CHANGES, subject, kind))
        return int(revision)

    async def _hash(self, key: str, read: Callable[[str], _Value]) -> AsyncIterator[_Value]:
        """What cannot be read is logged and left out: one bad record must not hide the others."""
        cursor = 0
        while True:
            ((cursor, part),) = await self._link.run(("HSCAN", key, cursor, "COUNT", _SCAN_STEP))
            for subject, text in part.items():
                try:
                    yield read(text)
                except RecordError as error:
                    event(_LOG, logging.ERROR, "record unreadable", subject=subject, why=str(error))
            if cursor == 0:
                return


def _readable(fields: dict[str, str]) -> list[Change]:
    try:
        return [change_from(fields.get("kind", ""), fields.get("body", ""))]
    except RecordError as error:
        event(_LOG, logging.ERROR, "change unreadable", why=str(error))
        return []


def _number(entry: tuple[str, Any]) -> int:
    return int(entry[0].partition("-")[0])
