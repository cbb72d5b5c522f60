"""What happens in the farm, to whoever listens: locks and rulebooks as they change, outcomes.

Locks and rulebooks come with the feed that every replica follows; outcomes are read from the
store once a second, and only while somebody listens. A listener that does not keep up misses
events and is told how many; nobody waits for him.
"""

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from policy.admin.tenants import covers_outcome
from policy.admin.views import LockView, OutcomeView
from policy.core.farm import Announcement
from policy.core.journal import OutcomeEntry
from policy.core.tokens import Tenancy
from policy.ports import Journal
from policy.replica.presence import StorePresence
from service_kit.failures import Unavailable

MOST_LISTENERS: Final = 64
MOST_WAITING: Final = 1000
"""Events that wait for one listener."""
LOOKED_EVERY_S: Final = 1.0
MOST_OUTCOMES: Final = 200
"""Read at once; of more in a second the oldest are not told."""


@dataclass(frozen=True, slots=True)
class Happening:
    """``kind`` is the name of the event, ``text`` its JSON."""

    kind: str
    text: str


class Listener:
    """One reader's queue."""

    def __init__(self, tenancy: Tenancy) -> None:
        self.tenancy: Final = tenancy
        self._waiting: deque[Happening] = deque()
        self._missed = 0
        self._ended = False
        self._woken = asyncio.Event()

    @property
    def ended(self) -> bool:
        return self._ended

    def tell(self, happening: Happening) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._missed += 1
        else:
            self._waiting.append(happening)
        self._woken.set()

    def end(self) -> None:
        self._ended = True
        self._woken.set()

    async def next(self, within_s: float) -> list[Happening]:
        """What came since the last call; waits for it up to ``within_s``."""
        try:
            async with asyncio.timeout(within_s):
                await self._woken.wait()
        except TimeoutError:
            return []
        self._woken.clear()
        told = list(self._waiting)
        self._waiting.clear()
        if self._missed:
            told.append(Happening("missed", f'{{"count":{self._missed}}}'))
            self._missed = 0
        return told


class LiveFeed:
    """All listeners of this process."""

    def __init__(self, journal: Journal, presence: StorePresence) -> None:
        self._journal = journal
        self._presence = presence
        self._listeners: list[Listener] = []
        self._somebody = asyncio.Event()
        self._ended = False

    @property
    def is_full(self) -> bool:
        return self._ended or len(self._listeners) >= MOST_LISTENERS

    @contextmanager
    def listening(self, tenancy: Tenancy) -> Iterator[Listener]:
        listener = Listener(tenancy)
        self._listeners.append(listener)
        self._somebody.set()
        try:
            yield listener
        finally:
            self._listeners.remove(listener)
            if not self._listeners:
                self._somebody.clear()

    def end(self) -> None:
        """The process stops: every stream ends."""
        self._ended = True
        for listener in self._listeners:
            listener.end()

    def announce(self, announcement: Announcement) -> None:
        """What the feed of changes said."""
        if not self._listeners:
            return
        for lock in announcement.put:
            self._tell("lock", LockView.of(lock).model_dump_json(), lock.subject)
        for subject in announcement.removed:
            self._tell("unlock", json.dumps({"subject": subject}), subject)
        for subject in announcement.exempted:
            self._tell("exempt", json.dumps({"subject": subject}), subject)
        for subject in announcement.unexempted:
            self._tell("unexempt", json.dumps({"subject": subject}), subject)
        if announcement.rulebook is not None:
            text = f'{{"version":{announcement.rulebook.version}}}'
            self._tell("rulebook", text)
        if announcement.locks_anew:
            self._tell("locks_anew", "{}")

    async def follow_outcomes(self) -> None:
        """For ever. What was there before anybody listened is not told."""
        known: Mapping[tuple[str, int, int], OutcomeEntry] | None = None
        while True:
            if not self._listeners:
                known = None
                await self._somebody.wait()
            known = await self._look(known)
            await asyncio.sleep(LOOKED_EVERY_S)

    async def _look(
        self, known: Mapping[tuple[str, int, int], OutcomeEntry] | None
    ) -> Mapping[tuple[str, int, int], OutcomeEntry] | None:
        if self._presence.away:
            return known
        try:
            latest = await self._journal.outcomes(MOST_OUTCOMES)
        except Unavailable as error:
            self._presence.lost(error)
            return known
        found = {_name(each): each for each in reversed(latest)}
        for name, entry in found.items():
            if known is not None and name not in known:
                text = OutcomeView.of(entry).model_dump_json()
                for listener in self._listeners:
                    if covers_outcome(listener.tenancy, entry):
                        listener.tell(Happening("outcome", text))
        return found

    def _tell(self, kind: str, text: str, subject: str = "") -> None:
        """Without a subject: only to those who may see the whole farm."""
        for listener in self._listeners:
            tenancy = listener.tenancy
            if tenancy.covers(subject) if subject else not tenancy.networks:
                listener.tell(Happening(kind, text))


def _name(entry: OutcomeEntry) -> tuple[str, int, int]:
    return entry.session_id, entry.transaction, entry.ended_at_ms
