"""clamd: viruses, by INSTREAM over warm sessions. UNIX socket or TCP; no shared path.

clamd must be told to look at what it is given: its StreamMaxLength, MaxFileSize and
MaxScanSize at least our ``max_octets``, and AlertExceedsMax on. Without these it calls content
beyond them clean, and nobody can tell. What it reports as "Heuristics.Limits.Exceeded" is no
virus but UNFINISHED: nobody has judged that content.

Errors: EngineFailure.
"""

from dataclasses import replace
from typing import Final, Literal

from scanner.core.clamd_wire import (
    ASK_VERSION,
    OPEN_SESSION,
    Outcome,
    StreamReader,
    StreamReply,
    VersionReader,
    instream,
)
from scanner.core.content import Content
from scanner.core.profile import EngineVersion, LooksAt
from scanner.core.verdict import Statement
from scanner.engines.backends import Backends
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
            NAME, EngineClass.VIRUS, looks_at=LooksAt(settings.looks_at)
        )
        self._backends = Backends(settings.address, settings.connections, settings.hedge_after_s)

    @property
    def warm_links(self) -> int:
        """Idle sessions that clamd has not closed."""
        return self._backends.warm

    async def start(self) -> None:
        """Nothing to prepare: links are made when they are needed."""

    async def scan(
        self, content: Content, _context: ScanContext, deadline: float
    ) -> tuple[Statement, ...]:
        async def instreamed(link: EngineLink) -> StreamReply:
            number = link.exchanges + 1
            opening = (OPEN_SESSION,) if number == 1 else ()
            reply = await link.exchange((*opening, *instream(content)), StreamReader(number))
            if reply.outcome is Outcome.CLEAN and link.answered_early:
                raise EngineFailure(FailureReason.MALFORMED, "clean before it had all of it")
            return reply

        return _statements(await self._backends.ask(deadline, instreamed))

    async def version(self) -> EngineVersion:
        """Of several the one that knows least: what the engine says is as old as that."""

        async def told(link: EngineLink) -> EngineVersion:
            return await link.exchange((ASK_VERSION,), VersionReader())

        versions, away = await self._backends.look(told)
        return replace(min(versions, key=lambda each: each.signatures or 0), away=away)

    async def aclose(self) -> None:
        self._backends.close()


def _statements(reply: StreamReply) -> tuple[Statement, ...]:
    if reply.outcome is Outcome.CLEAN:
        return _CLEAN
    if reply.outcome is Outcome.FOUND:
        return (Statement(EngineClass.VIRUS, VerdictKind.INFECTED, reply.text),)
    raise EngineFailure(_FAILURES[reply.outcome], reply.text)
