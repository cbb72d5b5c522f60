"""clamd: viruses, by INSTREAM over warm sessions. UNIX socket or TCP; no shared path.

clamd must be told to look at what it is given: its StreamMaxLength, MaxFileSize and
MaxScanSize at least our ``max_octets``, and AlertExceedsMax on. Without these it calls content
beyond them clean, and nobody can tell. What it reports as "Heuristics.Limits.Exceeded" is no
virus but UNFINISHED: nobody has judged that content.

Mail in which clamd's own reader of mail may miss something is looked at twice: as it is, and part
by part, as ``core/mime_parts`` opens it (see ``core/second_look``).

Errors: EngineFailure.
"""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Literal

from scanner.core.budget import Budget, BudgetExceeded, Limits
from scanner.core.clamd_wire import Outcome, StreamReply
from scanner.core.content import Content
from scanner.core.mime_parts import parts_of
from scanner.core.profile import EngineVersion, LooksAt
from scanner.core.second_look import FIRST_LINE, may_hide
from scanner.core.verdict import Statement
from scanner.engines.backends import Backends
from scanner.engines.clamd_daemon import ClamdDaemon
from scanner.engines.clamd_talk import instreamed, told_version
from scanner.engines.link import EngineLink
from scanner.engines.settings import Addresses, Count, DaemonSettings, Octets
from scanner.ports import EngineFailure, FailureReason, ScanContext
from service_kit.addresses import UnixOrTcp
from smtpgated_contracts.values.scan import EngineClass, VerdictKind

NAME: Final = "clamd"


class ClamdSettings(DaemonSettings):
    address: Addresses = (UnixOrTcp(path="/run/clamav/clamd.ctl"),)
    """Path of clamd's socket, or host:port; a list for several."""
    connections: Count = 16
    """Scans at most with each; clamd's MaxThreads and MaxQueue should bear them."""
    max_octets: Octets = 25 * 1024 * 1024
    """Debian's StreamMaxLength."""
    looks_at: Literal["essence", "content"] = "essence"
    """With [cache], what clamd is given: essence (without to whom a copy goes, by which way, and
    when) makes the copies of a message one, content is all of it. Without [cache]: all of it."""

    second_look: Literal["odd", "always", "never"] = "odd"
    """What is given to clamd part by part besides: odd, mail that it may read otherwise than mail
    clients do; always, all mail; never, none."""

    def open(self) -> "ClamdEngine":
        return ClamdEngine(self)


_CLEAN: Final = (Statement(EngineClass.VIRUS),)

_FAILURES: Final = {
    Outcome.LIMITS_EXCEEDED: FailureReason.UNFINISHED,
    Outcome.TOO_LARGE: FailureReason.TOO_LARGE,
    Outcome.FAILED: FailureReason.REFUSED,
}


class ClamdEngine:
    def __init__(self, settings: ClamdSettings) -> None:
        self.profile: Final = settings.profile(
            NAME,
            EngineClass.VIRUS,
            looks_at=LooksAt(settings.looks_at),
            variant=settings.second_look,
        )
        self._second_look = settings.second_look
        self._backends = Backends(settings.address, settings.connections, settings.hedge_after_s)
        self.daemons: Final = tuple(ClamdDaemon(each) for each in self._backends.all)

    @property
    def warm_links(self) -> int:
        """Idle sessions that clamd has not closed."""
        return self._backends.warm

    async def start(self) -> None:
        """Nothing to prepare: links are made when they are needed."""

    async def scan(
        self, content: Content, _context: ScanContext, deadline: float
    ) -> tuple[Statement, ...]:
        found = await self._asked(Content.of(FIRST_LINE, *content.pieces), deadline)
        if found is _CLEAN and self._looks_twice(content):
            found = await self._part_by_part(content, deadline)
        return found

    def _looks_twice(self, content: Content) -> bool:
        if self._second_look == "odd":
            return may_hide(content)
        return self._second_look == "always"

    async def _part_by_part(self, content: Content, deadline: float) -> tuple[Statement, ...]:
        """A part at a time; opening one takes as long as decoding does, so it is done elsewhere."""
        out_of_time = threading.Event()
        parts = parts_of(b"".join(content.pieces), Budget(Limits(), out_of_time.is_set))
        try:
            while (part := await asyncio.to_thread(_next, parts)) is not None:
                found = await self._asked(Content.of(part), deadline)
                if found is not _CLEAN:
                    return found
        except BudgetExceeded as bomb:
            raise EngineFailure(FailureReason.UNFINISHED, str(bomb)) from None
        finally:
            out_of_time.set()  # cancelled while a thread opens a part: it stops at the next one
        return _CLEAN

    async def _asked(self, content: Content, deadline: float) -> tuple[Statement, ...]:
        async def judged(link: EngineLink) -> StreamReply:
            return await instreamed(link, content)

        return _statements(await self._backends.ask(deadline, judged))

    async def version(self) -> EngineVersion:
        """Of several the one that knows least: what the engine says is as old as that."""

        versions, away = await self._backends.look(told_version)
        least = min(versions, key=lambda each: each.signatures or 0)
        # While they differ the engine is neither what it was nor what it will be.
        editions = {each.edition for each in self.daemons}
        edition = "+".join(sorted(filter(None, editions)))
        refused = next((each.refused for each in self.daemons if each.refused), "")
        return replace(least, away=away, edition=edition, refused=refused)

    async def aclose(self) -> None:
        self._backends.close()


def _next(parts: Iterator[bytes]) -> bytes | None:
    """Empty ones are nothing to look at."""
    return next(filter(None, parts), None)


def _statements(reply: StreamReply) -> tuple[Statement, ...]:
    if reply.outcome is Outcome.CLEAN:
        return _CLEAN
    if reply.outcome is Outcome.FOUND:
        return (Statement(EngineClass.VIRUS, VerdictKind.INFECTED, reply.text),)
    raise EngineFailure(_FAILURES[reply.outcome], reply.text)
