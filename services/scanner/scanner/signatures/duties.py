"""Which daemons are chosen for scans, and what the replica says of itself when hardly any is.

A daemon that reloads is in reserve: scans go to others, and to it when there are none, because
it goes on with its old signatures until the new ones are loaded. One that cannot be trusted has
no duty at all, until it shows that it can be again.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from scanner import metrics
from scanner.ports import Daemon, Duty, ReloadOutcome
from scanner.signatures.folder import Edition
from scanner.signatures.proof import Result, reloaded, unsound
from service_kit.health import Readiness
from service_kit.logs import event

_LOG: Final = logging.getLogger(__name__)
_PART: Final = "signatures"
_BETWEEN_S: Final = 0.01


class Duties:
    """``drain_s``, ``reload_s``: what a daemon gets to end its scans, and to load."""

    def __init__(
        self, daemons: Sequence[Daemon], readiness: Readiness, drain_s: float, reload_s: float
    ) -> None:
        self._daemons = tuple(daemons)
        self._readiness = readiness
        self._drain_s = drain_s
        self._reload_s = reload_s
        self._leaving = False
        self._expects_test_virus: dict[str, bool] = {}

    def others(self, daemon: Daemon) -> bool:
        """Whether the replica has others to scan with."""
        return any(each.duty is Duty.FULL for each in self._daemons if each is not daemon)

    async def exchange(self, daemon: Daemon, edition: Edition | None, *, leaving: bool) -> Result:
        """Its signatures: out of choice, and back, also when this is cancelled.

        ``leaving``: the replica says NOT_SERVING meanwhile.
        """
        duty = daemon.duty
        event(_LOG, logging.INFO, "daemon out", daemon=daemon.name, leaving=leaving)
        self._leaving = leaving
        self._set(daemon, Duty.NONE if duty is Duty.NONE else Duty.RESERVE)
        try:
            await self._drained(daemon)
            result = await reloaded(daemon, edition, self._reload_s)
            if result.outcome is not ReloadOutcome.AWAY:
                duty = Duty.NONE if result.outcome is ReloadOutcome.LOST else Duty.FULL
        finally:
            self._leaving = False
            self._set(daemon, duty)
        self._expects_test_virus[daemon.name] = result.expects_test_virus
        _tell(daemon, result)
        return result

    async def try_again(self) -> None:
        """Those without a duty: they may have been restarted, or mended."""
        for daemon in self._daemons:
            expects = self._expects_test_virus.get(daemon.name, False)
            if daemon.duty is Duty.NONE and not await unsound(daemon, expects_test_virus=expects):
                daemon.edition = ""  # whatever it has loaded now
                self._set(daemon, Duty.FULL)
                event(_LOG, logging.INFO, "daemon back", daemon=daemon.name)

    async def _drained(self, daemon: Daemon) -> None:
        """Its scans have ended, or have had their time."""
        clock = asyncio.get_running_loop().time
        until_s = clock() + self._drain_s
        while daemon.outstanding and clock() < until_s:  # noqa: ASYNC110 - one waiter, seldom
            await asyncio.sleep(_BETWEEN_S)

    def _set(self, daemon: Daemon, duty: Duty) -> None:
        daemon.duty = duty
        metrics.DAEMONS_OUT().set(sum(each.duty is not Duty.FULL for each in self._daemons))
        lost = all(each.duty is Duty.NONE for each in self._daemons)
        why = "no daemon can be trusted" if lost else "the only daemon reloads"
        self._readiness.set(_PART, ready=not (lost or self._leaving), why=why)


def _tell(daemon: Daemon, result: Result) -> None:
    metrics.RELOADS(result.outcome).inc()
    good = result.outcome is ReloadOutcome.LOADED
    event(
        _LOG,
        logging.INFO if good else logging.ERROR,
        "daemon stays out" if daemon.duty is Duty.NONE else "daemon back",
        daemon=daemon.name,
        outcome=result.outcome.value,
        why=result.why,
    )
