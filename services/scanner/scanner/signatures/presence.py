"""The group is told whether we serve: at once when that changes, and often enough to be believed.

No errors: a Redis that is away is told of once, and hears from us when it is back.
"""

import asyncio
import contextlib
from typing import Final

from scanner.signatures.farm import BELIEVED_S, Farm
from scanner.signatures.troubles import Troubles
from service_kit.failures import Unavailable
from service_kit.health import Readiness

_EVERY_S: Final = BELIEVED_S / 3
_AWAY: Final = "signatures without their farm"


class Presence:
    def __init__(self, farm: Farm, readiness: Readiness, troubles: Troubles) -> None:
        self._farm = farm
        self._readiness = readiness
        self._troubles = troubles

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.say()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._readiness.wait_change()

    async def say(self) -> int | None:
        """How many others serve; None: nobody can tell."""
        try:
            others = await self._farm.beat(serving=self._readiness.ready)
        except Unavailable as failure:
            self._troubles.note(_AWAY, str(failure))
            return None
        self._troubles.over(_AWAY)
        return others
