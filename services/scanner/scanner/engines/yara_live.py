"""The rules in force: workers that have them, exchanged for others when rule files change.

Files are looked at every few seconds. What has changed, and has then been left alone for one
look, is compiled in processes beside those that scan; if it is good, the next scan goes there,
and scans under way finish where they began. If it is not, the old rules stay in force, and
``refused`` says why until the files are good again.

Errors: StartError, for the first rules only.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from scanner.engines.yara_sources import RulesUnusable, RuleTexts, Stamp, read, stamps
from scanner.engines.yara_workers import Workers
from service_kit.errors import StartError
from service_kit.logs import event
from service_kit.tasks import Tasks

_LOG: Final = logging.getLogger(__name__)


class LiveRules:
    """``make``: workers with these rules, not started. ``scan_s``: a scan's time at most."""

    def __init__(
        self, sources: Sequence[str], make: Callable[[RuleTexts], Workers], scan_s: float
    ) -> None:
        self.refused = ""
        self._sources = tuple(sources)
        self._make = make
        self._scan_s = scan_s
        self._seen: frozenset[Stamp] = frozenset()
        self._loaded: frozenset[Stamp] = frozenset()
        self._workers: Workers | None = None
        self._retiring: set[Workers] = set()
        self._tasks = Tasks()

    @property
    def workers(self) -> Workers:
        """Those that have the rules in force."""
        assert self._workers is not None, "not started"
        return self._workers

    async def start(self, every_s: float) -> None:
        """``every_s``: seconds between looks. Raises StartError."""
        self._seen = self._loaded = await asyncio.to_thread(stamps, self._sources)
        try:
            texts = await asyncio.to_thread(read, self._sources)
        except RulesUnusable as why:
            raise StartError(f"[engines.yara] rules: {why}") from None
        self._workers = self._make(texts)
        await self._workers.start()
        self._tasks.spawn(self._follow(every_s), name="follow the yara rules")

    async def look(self) -> None:
        """Once: are there other rules, and are they good?"""
        seen = await asyncio.to_thread(stamps, self._sources)
        settled, self._seen = seen == self._seen, seen
        # What is being written right now would be refused, or worse: be good, and half of it.
        if not settled or seen == self._loaded:
            return
        self._loaded = seen
        try:
            texts = await asyncio.to_thread(read, self._sources)
            if texts.edition != self.workers.edition:
                await self._exchange(texts)
        except (RulesUnusable, StartError) as why:
            self.refused = str(why)
            event(_LOG, logging.ERROR, "yara rules refused", why=self.refused)
        else:
            self.refused = ""

    async def aclose(self) -> None:
        await self._tasks.aclose()
        for each in (*self._retiring, *([self._workers] if self._workers else [])):
            await each.aclose()

    async def _follow(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await self.look()

    async def _exchange(self, texts: RuleTexts) -> None:
        old, new = self.workers, self._make(texts)
        try:
            await new.start()
            self._workers = new
        finally:
            if self._workers is not new:
                await new.aclose()
        event(_LOG, logging.INFO, "yara rules exchanged", rules=new.rules, edition=new.edition)
        self._retiring.add(old)
        self._tasks.spawn(self._retire(old), name="retire yara workers")

    async def _retire(self, old: Workers) -> None:
        await old.finish(self._scan_s)
        self._retiring.discard(old)
