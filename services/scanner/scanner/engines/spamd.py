"""spamd (SpamAssassin): spam, by SYMBOLS over one connection a scan.

Its time grows much faster than the content does, so content beyond ``max_octets`` passes it
unjudged by default, as with SpamAssassin's own client. Its own threshold is not asked: the
farm's decides (``[spam] suspect_at``).

Errors: EngineFailure. A cancelled scan closes the connection; spamd's child finishes alone.
"""

from typing import Annotated, Final

from pydantic import Field

from scanner.core.profile import EngineVersion, Oversize
from scanner.core.spamd_wire import PING, USER_PATTERN, PongReader, SymbolsReader, symbols_request
from scanner.core.verdict import Statement
from scanner.engines.link import connect
from scanner.engines.pool import LinkPool
from scanner.engines.settings import Count, EngineSettings, Octets
from scanner.ports import EngineFailure, FailureReason, ScanContext
from service_kit.addresses import HostPort, UnixOrTcp
from smtpgated_contracts.values.scan import EngineClass

NAME: Final = "spamd"


class SpamdSettings(EngineSettings):
    address: UnixOrTcp = UnixOrTcp(tcp=HostPort("127.0.0.1", 783))
    """host:port, or the path of spamd's socket."""
    connections: Count = 5
    """Scans at the same time at most; spamd's own --max-children is 5."""
    max_octets: Octets = 500 * 1000
    """SpamAssassin's own advice."""
    oversize: Oversize = Oversize.SKIP
    user: Annotated[str, Field(pattern=rf"^(?:{USER_PATTERN})?$")] = ""
    """Whose preferences apply; empty: those of the account spamd runs as."""

    def open(self) -> "SpamdEngine":
        return SpamdEngine(self)


class SpamdEngine:
    def __init__(self, settings: SpamdSettings) -> None:
        self.profile: Final = settings.profile(NAME, EngineClass.SPAM)
        self._address = settings.address
        self._user = settings.user
        self._pool = LinkPool(settings.address, settings.connections)

    async def start(self) -> None:
        """Nothing to prepare: links are made when they are needed."""

    async def scan(
        self, content: bytes, _context: ScanContext, deadline: float
    ) -> tuple[Statement, ...]:
        async with self._pool.link(deadline) as link:
            request = symbols_request(len(content), self._user), content
            try:
                # spamd reads lines: without the end it would wait for that of the last one.
                reply = await link.exchange(request, SymbolsReader(), half_close=True)
            finally:
                link.abort()  # it serves one request a connection
            if reply.refusal:
                raise EngineFailure(FailureReason.REFUSED, reply.refusal)
            if link.answered_early:
                raise EngineFailure(FailureReason.MALFORMED, "a score before it had all of it")
        return (Statement(EngineClass.SPAM, name=reply.symbols, score=reply.score),)

    async def version(self) -> EngineVersion:
        """spamd tells the version of its protocol, not its own."""
        link = await connect(self._address)
        try:
            return EngineVersion(f"spamd {await link.exchange((PING,), PongReader())}")
        finally:
            link.abort()

    async def aclose(self) -> None:
        self._pool.close()
