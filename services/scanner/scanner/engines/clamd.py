"""clamd: viruses, by INSTREAM over warm sessions. UNIX socket or TCP; no shared path.

clamd must be told to look at what it is given: its StreamMaxLength, MaxFileSize and
MaxScanSize at least our ``max_octets``, and AlertExceedsMax on. Without these it calls content
beyond them clean, and nobody can tell. What it reports as "Heuristics.Limits.Exceeded" is no
virus but UNFINISHED: nobody has judged that content.

Errors: EngineFailure.
"""

from typing import Final

from scanner.core.clamd_wire import (
    ASK_VERSION,
    OPEN_SESSION,
    Outcome,
    StreamReader,
    StreamReply,
    VersionReader,
    instream,
)
from scanner.core.profile import EngineVersion
from scanner.core.verdict import Statement
from scanner.engines.link import connect
from scanner.engines.pool import LinkPool
from scanner.engines.settings import Count, EngineSettings, Octets
from scanner.ports import EngineFailure, FailureReason, ScanContext
from service_kit.addresses import UnixOrTcp
from smtpgated_contracts.values.scan import EngineClass, VerdictKind

NAME: Final = "clamd"


class ClamdSettings(EngineSettings):
    address: UnixOrTcp = UnixOrTcp(path="/run/clamav/clamd.ctl")
    """Path of clamd's socket, or host:port."""
    connections: Count = 16
    """Scans at the same time at most; clamd's MaxThreads and MaxQueue should bear them."""
    max_octets: Octets = 25 * 1024 * 1024
    """Debian's StreamMaxLength."""

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
        self.profile: Final = settings.profile(NAME, EngineClass.VIRUS)
        self._address = settings.address
        self._pool = LinkPool(settings.address, settings.connections)

    @property
    def warm_links(self) -> int:
        """Idle sessions that clamd has not closed."""
        return self._pool.warm

    async def start(self) -> None:
        """Nothing to prepare: links are made when they are needed."""

    async def scan(
        self, content: bytes, _context: ScanContext, deadline: float
    ) -> tuple[Statement, ...]:
        async with self._pool.link(deadline) as link:
            number = link.exchanges + 1
            opening = (OPEN_SESSION,) if number == 1 else ()
            reply = await link.exchange((*opening, *instream(content)), StreamReader(number))
            if reply.outcome is Outcome.CLEAN and link.answered_early:
                raise EngineFailure(FailureReason.MALFORMED, "clean before it had all of it")
        return _statements(reply)

    async def version(self) -> EngineVersion:
        link = await connect(self._address)
        try:
            return await link.exchange((ASK_VERSION,), VersionReader())
        finally:
            link.abort()

    async def aclose(self) -> None:
        self._pool.close()


def _statements(reply: StreamReply) -> tuple[Statement, ...]:
    if reply.outcome is Outcome.CLEAN:
        return _CLEAN
    if reply.outcome is Outcome.FOUND:
        return (Statement(EngineClass.VIRUS, VerdictKind.INFECTED, reply.text),)
    raise EngineFailure(_FAILURES[reply.outcome], reply.text)
