"""rspamd: spam, by HTTP ``POST /checkv2``, with what is known of the session beside the content.

It is told who sends, to whom and from where, so its rules about addresses, HELO and networks
work as behind a mail server; an authenticated sender is told as one (``User``). Its scale is
not SpamAssassin's: it adds its header from 6 where SpamAssassin says spam from 5, hence
``scale``. An action in ``sure`` makes content suspect whatever its score. What it says depends
on all of that, and on what it has seen before, so it is never remembered.

Errors: EngineFailure; "soft reject" is one too, because nobody has judged that content.
"""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from scanner.core.content import Content
from scanner.core.profile import EngineVersion, LooksAt, Oversize
from scanner.core.rspamd_wire import (
    MOST_RECIPIENTS,
    HttpReader,
    OpinionReader,
    SpamOpinion,
    check_request,
    field,
    ping_request,
)
from scanner.core.rspamd_wire import Field as HeaderField
from scanner.core.verdict import Statement
from scanner.engines.backends import Backends
from scanner.engines.link import EngineLink
from scanner.engines.settings import Addresses, Count, DaemonSettings, Octets
from scanner.ports import EngineFailure, FailureReason, ScanContext
from service_kit.addresses import HostPort, UnixOrTcp
from smtpgated_contracts.values.scan import EngineClass, VerdictKind

NAME: Final = "rspamd"


class RspamdSettings(DaemonSettings):
    address: Addresses = (UnixOrTcp(tcp=HostPort("127.0.0.1", 11333)),)
    """host:port of a normal worker, or the path of its socket; a list for several."""
    connections: Count = 16
    """Scans at the same time at most, with each."""
    max_octets: Octets = 10 * 1024 * 1024
    """rspamd's own max_message is 50 MiB; spam is smaller."""
    oversize: Oversize = Oversize.SKIP
    scale: Annotated[float, Field(gt=0, le=100)] = 5 / 6
    """Its scores times this are compared with ``[spam] suspect_at``."""
    sure: tuple[str, ...] = ("reject",)
    """Actions that make content suspect whatever the score; [] for none."""

    def open(self) -> "RspamdEngine":
        return RspamdEngine(self)


class RspamdEngine:
    def __init__(self, settings: RspamdSettings) -> None:
        self.profile: Final = settings.profile(NAME, EngineClass.SPAM, looks_at=LooksAt.SESSION)
        self._scale = settings.scale
        self._sure = frozenset(settings.sure)
        self._backends = Backends(settings.address, settings.connections, settings.hedge_after_s)

    async def start(self) -> None:
        """Nothing to prepare: links are made when they are needed."""

    async def scan(
        self, content: Content, context: ScanContext, deadline: float
    ) -> tuple[Statement, ...]:
        request = check_request(content.size_octets, _facts(context))

        async def judged(link: EngineLink) -> SpamOpinion:
            try:
                said = await link.exchange((request, *content.pieces), OpinionReader())
            finally:
                link.abort()  # it closes after each reply
            if said.refusal:
                raise EngineFailure(FailureReason.REFUSED, said.refusal)
            if link.answered_early:
                raise EngineFailure(FailureReason.MALFORMED, "a score before it had all of it")
            return said

        said = await self._backends.ask(deadline, judged)
        kind = VerdictKind.SUSPECT if said.action in self._sure else VerdictKind.CLEAN
        return (Statement(EngineClass.SPAM, kind, said.symbols, said.score * self._scale),)

    async def version(self) -> EngineVersion:
        async def told(link: EngineLink) -> str:
            return (await link.exchange((ping_request(),), HttpReader())).server

        versions, away = await self._backends.look(told)
        return EngineVersion(min(versions), away=away)

    async def aclose(self) -> None:
        self._backends.close()


def _facts(context: ScanContext) -> Iterator[HeaderField]:
    session, envelope = context.session, context.envelope
    yield field("IP", session.source.address.encode())
    yield field("Helo", envelope.helo)
    yield field("From", b"<%s>" % envelope.reverse_path)
    for recipient in envelope.recipients[:MOST_RECIPIENTS]:
        yield field("Rcpt", b"<%s>" % recipient)
    yield field("Queue-Id", f"{session.session_id}.{context.transaction}".encode())
    if envelope.authenticated:
        yield field("User", session.identity.encode() or b"authenticated")
