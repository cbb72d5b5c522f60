"""One clamd as the roll sees it: taken out of choice, told to reload, asked what it knows now.

Everything is asked on connections of its own, beside the scans, and is not the circuit's to
judge. Errors: EngineFailure (TIMED_OUT when one question takes longer than ASIDE_S).
"""

import asyncio
from typing import Final

from scanner.core.clamd_wire import Outcome
from scanner.core.content import Content
from scanner.core.profile import EngineVersion
from scanner.engines.backends import Backend, Reply, Talk
from scanner.engines.clamd_talk import instreamed, told_to_reload, told_version
from scanner.engines.link import connect
from scanner.ports import Duty, EngineFailure, FailureReason

ASIDE_S: Final = 5.0


class ClamdDaemon:
    """``edition``, ``refused``: the roll's to know (``ports.Daemon``)."""

    def __init__(self, backend: Backend) -> None:
        self.name: Final = str(backend.address)
        self.edition = ""
        self.refused = ""
        self._backend = backend

    @property
    def duty(self) -> Duty:
        return self._backend.duty

    @duty.setter
    def duty(self, duty: Duty) -> None:
        self._backend.duty = duty

    @property
    def outstanding(self) -> int:
        """Scans that wait for it or are with it."""
        return self._backend.outstanding

    async def version(self) -> EngineVersion:
        return await self._aside(told_version)

    async def reload(self) -> None:
        """Returns when it has said that it will."""
        await self._aside(told_to_reload)

    async def finds(self, content: bytes) -> bool:
        """Whether a signature of it matches."""
        reply = await self._aside(lambda link: instreamed(link, Content.of(content)))
        if reply.outcome in (Outcome.CLEAN, Outcome.FOUND):
            return reply.outcome is Outcome.FOUND
        raise EngineFailure(FailureReason.REFUSED, reply.text)

    async def _aside(self, talk: Talk[Reply]) -> Reply:
        try:
            async with asyncio.timeout(ASIDE_S):
                link = await connect(self._backend.address)
                try:
                    return await talk(link)
                finally:
                    link.abort()
        except TimeoutError:
            raise EngineFailure(FailureReason.TIMED_OUT) from None
