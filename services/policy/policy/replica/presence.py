"""Whether the shared store is there, as the last calls found it.

Whoever calls the store says how it went. While it is away decisions do not try it: each try
would cost a client its patience. The keeper does, with back-off, and says when it is back.
"""

import logging
from typing import Final

from policy.metrics import STORE_AWAY, STORE_LOSSES
from service_kit.clock import Clock
from service_kit.failures import Unavailable
from service_kit.logs import event

_NOT_ASKED: Final = "not asked yet"
_LOG: Final = logging.getLogger(__name__)


class StorePresence:
    """``why`` is empty while the store is there; ``since_ms`` is when the last change was."""

    __slots__ = ("_clock", "since_ms", "why")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.why = _NOT_ASKED
        self.since_ms = clock.unix_ms()
        STORE_AWAY().set(1)

    @property
    def away(self) -> bool:
        return bool(self.why)

    def lost(self, error: Unavailable) -> None:
        if self.why in ("", _NOT_ASKED):
            self.since_ms = self._clock.unix_ms()
            STORE_LOSSES().inc()
            event(_LOG, logging.ERROR, "store away", why=str(error))
        self.why = str(error)
        STORE_AWAY().set(1)

    def returned(self) -> None:
        if self.away:
            event(_LOG, logging.INFO, "store there", was_away=self.why)
            self.since_ms = self._clock.unix_ms()
        self.why = ""
        STORE_AWAY().set(0)
