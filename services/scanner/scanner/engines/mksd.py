"""mksd (MkS antivirus): viruses, by the path of a file on a shared disk.

The daemon is no longer sold: this engine was tried against a double that speaks the documented
octets and against nothing else. mksd reads files itself, so content is written to
``spool_folder`` for the time of its scan. Both must see that folder under one path; keep it on
a RAM disk, and give mksd's account its group.

Errors: EngineFailure; a spool that cannot be written (full, missing) is one.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from scanner.core.content import Content
from scanner.core.mksd_wire import FileReply, LineReader, scan_request
from scanner.core.profile import EngineVersion, LooksAt
from scanner.core.verdict import Statement
from scanner.engines.backends import Backends
from scanner.engines.link import EngineLink
from scanner.engines.settings import Addresses, Count, DaemonSettings, Octets
from scanner.ports import EngineFailure, FailureReason, ScanContext
from service_kit.addresses import UnixOrTcp
from service_kit.errors import StartError
from smtpgated_contracts.values.scan import EngineClass, VerdictKind

NAME: Final = "mksd"
_READABLE_BY_ITS_GROUP: Final = 0o640


class MksdSettings(DaemonSettings):
    address: Addresses = (UnixOrTcp(path="/var/run/mksd/socket"),)
    """Path of mksd's socket."""
    spool_folder: Path
    """Where content lies while it is scanned; mksd must see it under the same path."""
    connections: Count = 8
    """Scans at the same time at most."""
    max_octets: Octets = 25 * 1024 * 1024
    """So much may lie in the spool for each connection."""

    def open(self) -> "MksdEngine":
        return MksdEngine(self)


class MksdEngine:
    def __init__(self, settings: MksdSettings) -> None:
        self.profile: Final = settings.profile(NAME, EngineClass.VIRUS, looks_at=LooksAt.ESSENCE)
        self._folder = settings.spool_folder.absolute()
        self._backends = Backends(settings.address, settings.connections, settings.hedge_after_s)

    async def start(self) -> None:
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise StartError(
                f"[engines.mksd] spool_folder {self._folder} should be a folder we may write to"
            )

    async def scan(
        self, content: Content, _context: ScanContext, deadline: float
    ) -> tuple[Statement, ...]:
        async def judged(link: EngineLink) -> FileReply:
            try:
                async with self._spooled(content) as path:
                    return await link.exchange((scan_request(path),), LineReader())
            finally:
                link.abort()  # it answers one question a connection

        reply = await self._backends.ask(deadline, judged)
        if reply.refusal:
            raise EngineFailure(FailureReason.REFUSED, reply.refusal)
        kind = VerdictKind.INFECTED if reply.virus else VerdictKind.CLEAN
        return (Statement(EngineClass.VIRUS, kind, reply.virus),)

    async def version(self) -> EngineVersion:
        """It does not tell: that it takes a connection is all there is to know."""

        async def told(_link: EngineLink) -> None:
            return None

        _, away = await self._backends.look(told)
        return EngineVersion("mksd", away=away)

    async def aclose(self) -> None:
        self._backends.close()

    @asynccontextmanager
    async def _spooled(self, content: Content) -> AsyncIterator[str]:
        """The path of a file of its own that holds ``content`` and is gone afterwards."""
        path = ""
        try:
            descriptor, path = tempfile.mkstemp(prefix="content-", dir=self._folder)
            await asyncio.to_thread(_write, descriptor, content)
            yield path
        except OSError as wrong:
            why = f"spool {self._folder}: {wrong.strerror}"
            raise EngineFailure(FailureReason.REFUSED, why) from None
        finally:
            if path:
                _remove(path)


def _write(descriptor: int, content: Content) -> None:
    with open(descriptor, "wb") as file:
        os.fchmod(descriptor, _READABLE_BY_ITS_GROUP)
        file.writelines(content.pieces)


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)
