"""spamd (SpamAssassin): spam, by SYMBOLS over one connection a scan.

Its time grows much faster than the content does, so content beyond ``max_octets`` passes it
unjudged by default, as with SpamAssassin's own client. Its own threshold is not asked: the
farm's decides (``[spam] suspect_at``).

Errors: EngineFailure. A cancelled scan closes the connection; spamd's child finishes alone.
"""

from typing import Annotated, Final

from pydantic import Field

from scanner.core.content import Content
from scanner.core.profile import EngineVersion, LooksAt, Oversize
from scanner.core.spamd_wire import (
    PING,
    USER_PATTERN,
    PongReader,
    SpamReply,
    SymbolsReader,
    symbols_request,
)
from scanner.core.verdict import Statement
from scanner.engines.backends import Backends
from scanner.engines.link import EngineLink
from scanner.engines.settings import Addresses, Count, DaemonSettings, Octets
from scanner.ports import EngineFailure, FailureReason, ScanContext
from service_kit.addresses import HostPort, UnixOrTcp
from smtpgated_contracts.values.scan import EngineClass

NAME: Final = "spamd"


class SpamdSettings(DaemonSettings):
    address: Addresses = (UnixOrTcp(tcp=HostPort("127.0.0.1", 783)),)
    """host:port, or the path of spamd's socket; a list for several."""
    connections: Count = 5
    """Scans at the same time at most, with each; spamd's own --max-children is 5."""
    max_octets: Octets = 500 * 1000
    """SpamAssassin's own advice."""
    oversize: Oversize = Oversize.SKIP
    user: Annotated[str, Field(pattern=rf"^(?:{USER_PATTERN})?$")] = ""
    """Whose preferences apply; empty: those of the account spamd runs as."""

    def open(self) -> "SpamdEngine":
        return SpamdEngine(self)


class SpamdEngine:
    def __init__(self, settings: SpamdSettings) -> None:
        self.profile: Final = settings.profile(
            NAME, EngineClass.SPAM, looks_at=LooksAt.CONTENT, variant=settings.user
        )
        self._user = settings.user
        self._backends = Backends(settings.address, settings.connections, settings.hedge_after_s)

    async def start(self) -> None:
        """Nothing to prepare: links are made when they are needed."""

    async def scan(
        self, content: Content, _context: ScanContext, deadline: float
    ) -> tuple[Statement, ...]:
        async def judged(link: EngineLink) -> SpamReply:
            request = symbols_request(content.size_octets, self._user), *content.pieces
            try:
                # spamd reads lines: without the end it would wait for that of the last one.
                reply = await link.exchange(request, SymbolsReader(), half_close=True)
            finally:
                link.abort()  # it serves one request a connection
            if reply.refusal:
                raise EngineFailure(FailureReason.REFUSED, reply.refusal)
            if link.answered_early:
                raise EngineFailure(FailureReason.MALFORMED, "a score before it had all of it")
            return reply

        reply = await self._backends.ask(deadline, judged)
        return (Statement(EngineClass.SPAM, name=reply.symbols, score=reply.score),)

    async def version(self) -> EngineVersion:
        """spamd tells the version of its protocol, not its own."""

        async def told(link: EngineLink) -> str:
            return await link.exchange((PING,), PongReader())

        versions, away = await self._backends.look(told)
        return EngineVersion(f"spamd {min(versions)}", away=away)

    async def aclose(self) -> None:
        self._backends.close()
