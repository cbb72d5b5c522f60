"""Whether each engine is there, and how old its knowledge is: asked every few seconds.

An engine that judges viruses takes the replica out of rotation while it is away: the edge
finds another one, and where there is none its stance decides. An engine that judges spam
alone does not: a replica that still finds viruses is worth more than none. What its age means
is ``signatures/knowledge``'s to say.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from scanner import metrics
from scanner.core.profile import EngineProfile, EngineVersion
from scanner.metrics import EngineName
from scanner.ports import Engine, EngineFailure, FailureReason
from scanner.signatures.knowledge import Knowledge
from service_kit.errors import StartError
from service_kit.health import Readiness
from service_kit.logs import event
from smtpgated_contracts.values.scan import EngineClass

_LOG: Final = logging.getLogger(__name__)
EVERY_S: Final = 5.0
_DEADLINE_S: Final = 5.0


class Watch:
    """``versions``: engine by name to what it last said it is; read by the panel."""

    def __init__(
        self, engines: Sequence[Engine], readiness: Readiness, knowledge: Knowledge
    ) -> None:
        self.versions: dict[str, EngineVersion] = {}
        self._engines = tuple(engines)
        self._readiness = readiness
        self._knowledge = knowledge
        self._up: dict[str, bool] = {}

    async def first_look(self) -> None:
        """Raises StartError when an engine is away that is required at the start."""
        failures = await self.look()
        for profile, failure in failures:
            if profile.required_at_start:
                raise StartError(f"[engines.{profile.name}] does not answer: {failure}")

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.look()

    async def look(self) -> list[tuple[EngineProfile, EngineFailure]]:
        said = await asyncio.gather(*(_version(engine) for engine in self._engines))
        failures = []
        for engine, version in zip(self._engines, said, strict=True):
            if isinstance(version, EngineFailure):
                failures.append((engine.profile, version))
                self._away(engine.profile, version)
            else:
                self._there(engine.profile, version)
        return failures

    def _there(self, profile: EngineProfile, version: EngineVersion) -> None:
        name = EngineName(profile.name)
        metrics.ENGINE_UP(name).set(1)
        metrics.DAEMONS_AWAY(name).set(version.away)
        metrics.SIGNATURES(name).set(version.signatures or 0)
        metrics.SIGNATURES_MADE(name).set(version.signatures_at or 0)
        self._readiness.set(profile.name, ready=True)
        self._knowledge.judge(profile.name, version)
        last = self.versions.get(profile.name)
        if self._up.get(profile.name) is not True or last is None or last.known != version.known:
            event(_LOG, logging.INFO, "engine answers", engine=profile.name, version=version.known)
        self._up[profile.name] = True
        self.versions[profile.name] = version

    def _away(self, profile: EngineProfile, failure: EngineFailure) -> None:
        metrics.ENGINE_UP(EngineName(profile.name)).set(0)
        if EngineClass.VIRUS in profile.judges:
            self._readiness.set(profile.name, ready=False, why=str(failure))
        if self._up.get(profile.name) is not False:
            event(_LOG, logging.WARNING, "engine away", engine=profile.name, why=str(failure))
        self._up[profile.name] = False


async def _version(engine: Engine) -> EngineVersion | EngineFailure:
    try:
        async with asyncio.timeout(_DEADLINE_S):
            return await engine.version()
    except TimeoutError:
        return EngineFailure(FailureReason.TIMED_OUT)
    except EngineFailure as failure:
        return failure
