"""Whether what an engine knows is old, or newer knowledge was refused: counted, shown, told once.

Neither takes a replica out of rotation: an engine with signatures of last week finds what was
known last week, and one that is away finds nothing.
"""

import logging
from typing import Final

from scanner import metrics
from scanner.core.profile import EngineVersion
from scanner.metrics import EngineName
from service_kit.clock import SYSTEM_CLOCK, Clock
from service_kit.health import Readiness
from service_kit.logs import event

_LOG: Final = logging.getLogger(__name__)
_DAY_S: Final = 24 * 3600


class Knowledge:
    """``stale_after_s``: the age from which a signature database is stale."""

    def __init__(
        self, readiness: Readiness, stale_after_s: float, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._readiness = readiness
        self._stale_after_s = stale_after_s
        self._clock = clock
        self._stale: set[str] = set()

    def judge(self, engine: str, version: EngineVersion) -> None:
        """``version``: what the engine says it is, now."""
        age_s = self._age_s(version)
        stale = age_s is not None and age_s > self._stale_after_s
        metrics.SIGNATURES_STALE(EngineName(engine)).set(stale)
        metrics.SIGNATURES_REFUSED(EngineName(engine)).set(bool(version.refused))
        days = f"{(age_s or 0) / _DAY_S:.1f}"
        remarks = (
            f"signatures are {days} days old" if stale else "",
            f"newer ones refused: {version.refused}" if version.refused else "",
        )
        self._readiness.remark(engine, "; ".join(filter(None, remarks)))
        if stale and engine not in self._stale:
            self._stale.add(engine)
            event(_LOG, logging.WARNING, "signatures stale", engine=engine, days_old=days)
        elif not stale and engine in self._stale:
            self._stale.discard(engine)
            event(_LOG, logging.INFO, "signatures fresh again", engine=engine)

    def _age_s(self, version: EngineVersion) -> float | None:
        """None: the engine does not tell when its database was made."""
        if version.signatures_at is None:
            return None
        return self._clock.unix_ms() / 1000 - version.signatures_at
