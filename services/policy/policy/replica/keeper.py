"""Keeps this replica's Farm in step with the store, for as long as the process runs.

A round: take the picture (an empty store is given ours, or the copy on disk, or the first
rulebook), then follow the feed until the store is lost or changes were missed; then the next
round, after a growing pause when the store is away. What the store says is the truth; while it
is away the last truth stays in force, and locks that outcomes ask for are put here alone and
handed over in the next round.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from policy.core.amending import Amendment
from policy.core.audit import Area, Authorship
from policy.core.farm import Announcement, Farm, Picture, StoredRulebook
from policy.core.locks import outlasts
from policy.metrics import FEED_GAPS, IDENTITIES, LOCKS, RULEBOOK_VERSION, RULEBOOKS_UNREADABLE
from policy.ports import FeedGap, PolicyStore
from policy.replica.disk_copy import DiskCopy
from policy.replica.presence import StorePresence
from service_kit.clock import Clock
from service_kit.failures import Unavailable
from service_kit.logs import event
from smtpgated_contracts.values.policy import Lock

MOST_PENDING: Final = 10_000
"""Locks put here alone and not handed over yet; beyond it they hold here only."""

_PENDING_STEP: Final = 500
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_LOG: Final = logging.getLogger(__name__)


class FarmKeeper:
    """``announce`` is called for every change that edges must know, synchronously."""

    def __init__(
        self,
        farm: Farm,
        store: PolicyStore,
        presence: StorePresence,
        announce: Callable[[Announcement], None],
        clock: Clock,
        first_document: str,
        copy: DiskCopy | None = None,
    ) -> None:
        self._farm = farm
        self._store = store
        self._presence = presence
        self._announce = announce
        self._clock = clock
        self._first_document = first_document
        self._copy = copy
        self._pending: dict[str, Lock] = {}
        self._moved = asyncio.Condition()
        self.loaded = asyncio.Event()
        self.changed = asyncio.Event()
        """Set whenever the copy on disk of what edges are told is out of date."""

    async def run(self) -> None:
        """For ever; the owner cancels."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                await self._take_picture()
                pause_s = _FIRST_PAUSE_S
                await self._follow()
            except FeedGap as gap:
                FEED_GAPS().inc()
                event(_LOG, logging.WARNING, "changes missed", why=str(gap))
            except Unavailable as error:
                self._presence.lost(error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def reached(self, revision: int, within_s: float) -> bool:
        """Whether this replica knows that change; waits for it up to ``within_s``."""
        try:
            async with asyncio.timeout(within_s), self._moved:
                await self._moved.wait_for(lambda: self._farm.revision >= revision)
        except TimeoutError:
            return False
        return True

    async def lengthen(self, locks: Sequence[Lock]) -> list[bool]:
        """Puts locks unless longer ones are there; whether each was put.

        While the store is away they are put here alone.
        """
        if not self._presence.away:
            try:
                written = await self._store.lengthen_locks(locks)
            except Unavailable as error:
                self._presence.lost(error)
            else:
                return [each.revision > 0 for each in written]
        return [self._put_here(lock) for lock in locks]

    async def put(self, lock: Lock) -> None:
        """In the place of the one that is there; here alone while the store is away."""
        if not self._presence.away:
            try:
                await self._store.put_lock(lock)
            except Unavailable as error:
                self._presence.lost(error)
            else:
                return
        self._put_here(lock)

    async def _take_picture(self) -> None:
        picture = await self._store.picture()
        if picture.rulebook is None:
            await self._fill(await self._what_to_fill_with())
        pending = list(self._pending.values())
        for at in range(0, len(pending), _PENDING_STEP):
            await self._store.lengthen_locks(pending[at : at + _PENDING_STEP])
        if picture.rulebook is None or pending:
            picture = await self._store.picture()
        for lock in pending:
            if self._pending.get(lock.subject) is lock:
                del self._pending[lock.subject]
        if picture.rulebook is not None:
            await asyncio.to_thread(self._farm.prepare, picture.rulebook)
        self._presence.returned()
        await self._took(self._farm.load(picture, self._clock.unix_ms()))
        if self._farm.stored is not None:
            self.loaded.set()

    async def _follow(self) -> None:
        while True:
            batch = await self._store.changes_after(self._farm.revision)
            self._presence.returned()
            for change in batch.changes:
                if isinstance(change, StoredRulebook):
                    await asyncio.to_thread(self._farm.prepare, change)
            if batch.changes:
                await self._took(self._farm.apply(batch.changes, batch.revision))

    async def _what_to_fill_with(self) -> Picture:
        if self._farm.stored is not None:
            now_ms = self._clock.unix_ms()
            identities = self._farm.identities.in_force(now_ms)
            return replace(self._farm.picture(now_ms), identities=identities)
        copied = await asyncio.to_thread(self._copy.read) if self._copy else None
        if copied is not None and copied.rulebook is not None:
            return copied
        return Picture(rulebook=StoredRulebook(1, self._first_document))

    async def _fill(self, picture: Picture) -> None:
        """The rulebook last: a store that has one is whole. Replicas may do it together."""
        now_ms = self._clock.unix_ms()
        locks = [lock for lock in picture.locks if lock.holds_at(now_ms)]
        for exemption in picture.exemptions:
            await self._store.put_exemption(exemption)
        for at in range(0, len(locks), _PENDING_STEP):
            await self._store.lengthen_locks(locks[at : at + _PENDING_STEP])
        identities = [entry for entry in picture.identities if entry.holds_at(now_ms)]
        for at in range(0, len(identities), _PENDING_STEP):
            await self._store.put_identities(identities[at : at + _PENDING_STEP])
        by = Authorship("policy", "the store was empty", now_ms)
        await self._store.amend(
            [Amendment(Area.TOKEN, token.token_id, token, by) for token in picture.tokens]
        )
        overrides = [each for each in picture.overrides if each.holds_at(now_ms)]
        await self._store.amend(
            [Amendment(Area.OVERRIDE, each.subject, each, by) for each in overrides]
        )
        assert picture.rulebook is not None, "chosen by _what_to_fill_with"
        await self._store.put_rulebook(picture.rulebook, replaces=0)
        event(
            _LOG,
            logging.WARNING,
            "store was empty",
            rulebook=picture.rulebook.version,
            locks=len(locks),
            exemptions=len(picture.exemptions),
            identities=len(identities),
            overrides=len(overrides),
        )

    async def _took(self, announcement: Announcement) -> None:
        if announcement.unreadable:
            RULEBOOKS_UNREADABLE().inc()
            event(_LOG, logging.ERROR, "rulebook unreadable", why=announcement.unreadable)
        self._tell(announcement)
        async with self._moved:
            self._moved.notify_all()

    def _tell(self, announcement: Announcement) -> None:
        LOCKS().set(len(self._farm.locks))
        IDENTITIES().set(len(self._farm.identities))
        if self._farm.stored is not None:
            RULEBOOK_VERSION().set(self._farm.stored.version)
        if not announcement.is_silent:
            self._announce(announcement)
        if announcement.policy_alone or not announcement.is_silent:
            self.changed.set()

    def _put_here(self, lock: Lock) -> bool:
        present = self._farm.locks.get(lock.subject)
        if present is not None and outlasts(present, lock):
            return False
        if len(self._pending) < MOST_PENDING or lock.subject in self._pending:
            self._pending[lock.subject] = lock
        self._tell(self._farm.apply((lock,), self._farm.revision))
        return True
