"""Where the farm's keys are, as all links of one store know it.

A failure raises a doubt, and before the next call the finder is asked. Without failures it is
asked again every ``LOOK_EVERY_S`` by whoever waits for changes anyway: Sentinels that are told to
make another node the master leave the old one a master for some ten seconds, and what is written
there meanwhile is lost. Such a look that fails is nothing: the keys are where they were.
"""

import asyncio
import logging
from typing import Final

from policy.store.redis.masters import MasterFinder
from service_kit.addresses import HostPort
from service_kit.failures import FailureKind, Unavailable
from service_kit.logs import event

LOOK_EVERY_S: Final = 2.0
_LOG: Final = logging.getLogger(__name__)


class Whereabouts:
    def __init__(self, finder: MasterFinder) -> None:
        self._finder = finder
        self._finding = asyncio.Lock()
        self._address: HostPort | None = None
        self._last: HostPort | None = None
        self._looked_at = 0.0

    def doubt(self) -> None:
        """A call failed: maybe because the node is not the one any more."""
        self._address = None

    async def known(self) -> HostPort:
        """Raises Unavailable when nobody knows."""
        if self._address is not None:
            return self._address
        async with self._finding:
            # Whoever waited for the lock finds the doubt settled.
            if self._address is None:
                self._address = await self._find()
            return self._address

    async def look_again(self) -> None:
        """If it is time to. Raises Unavailable when the keys are elsewhere now."""
        before = self._address
        if before is None or asyncio.get_running_loop().time() < self._looked_at + LOOK_EVERY_S:
            return
        try:
            found = await self._find()
        except Unavailable:
            return
        self._address = found
        if found != before:
            raise Unavailable(
                "redis", FailureKind.UNREACHABLE, retryable=True, detail=f"master is {found} now"
            )

    async def _find(self) -> HostPort:
        self._looked_at = asyncio.get_running_loop().time()
        found = await self._finder.master()
        if found != self._last:
            event(_LOG, logging.INFO, "master found", address=str(found), before=str(self._last))
            self._last = found
        return found
