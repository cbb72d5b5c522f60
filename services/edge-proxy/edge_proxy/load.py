"""How hard the machine and this worker's loop are at work, and what is not done because of it.

Two things are measured, four times a second: the machine's 1-minute load average, and how late
the event loop comes to what is due, smoothed so that one long turn is no alarm. Each has two
limits: above the first the spam class is spared in messages that begin, above the second new
sessions are refused. What a limit has shut opens again only well below it, so that nothing
flaps. A load average that cannot be read is no load.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Final

from edge_proxy import metrics
from edge_proxy.config import LimitSettings
from edge_proxy.metrics import Overload
from service_kit.clock import Clock
from smtpgated_contracts.values.scan import EngineClass

PERIOD_S: Final = 0.25
NEW_SHARE: Final = 0.3
"""Of the newest measurement in the smoothed lag: a lasting change shows in about a second."""
OPENS_AT: Final = 0.8
"""Of a limit: the load below which what was shut opens again."""

NOTHING: Final[frozenset[EngineClass]] = frozenset()
SPAM_ONLY: Final = frozenset({EngineClass.SPAM})


class Gate:
    """Shut by a value above ``limit``, opened by one below ``OPENS_AT`` of it; 0: always open."""

    __slots__ = ("_limit", "is_shut")

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self.is_shut = False

    def follow(self, value: float) -> None:
        if self._limit > 0:
            self.is_shut = value > self._limit * (OPENS_AT if self.is_shut else 1.0)


def load_average_now() -> float:
    """Of the last minute, as the kernel counts; 0 where it does not."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return 0.0


class Load:
    """``changed`` is called when ``spared`` has changed."""

    def __init__(
        self,
        limits: LimitSettings,
        clock: Clock,
        changed: Callable[[], None],
        load_average: Callable[[], float] = load_average_now,
    ) -> None:
        self._clock = clock
        self._changed = changed
        self._load_average = load_average
        self._lag_s = 0.0
        self._refuse_by_load = Gate(limits.load_average)
        self._refuse_by_lag = Gate(limits.loop_lag_ms / 1000)
        self._spare_by_load = Gate(limits.skip_spam_load_average)
        self._spare_by_lag = Gate(limits.skip_spam_loop_lag_ms / 1000)
        self.spared = NOTHING
        self.average = 0.0
        metrics.SPARES_SPAM().set(0)

    @property
    def overload(self) -> Overload | None:
        """Why new sessions are refused now; None: they are not."""
        if self._refuse_by_load.is_shut:
            return Overload.LOAD_AVERAGE
        return Overload.LOOP_LAG if self._refuse_by_lag.is_shut else None

    async def run(self) -> None:
        """Measure for ever."""
        while True:
            due_s = self._clock.monotonic_s() + PERIOD_S
            await asyncio.sleep(PERIOD_S)
            self.measured(max(0.0, self._clock.monotonic_s() - due_s))

    def measured(self, late_s: float) -> None:
        """The loop came ``late_s`` seconds late to what was due."""
        self._lag_s += NEW_SHARE * (late_s - self._lag_s)
        metrics.LOOP_LAG().set(self._lag_s)
        for gate in (self._refuse_by_lag, self._spare_by_lag):
            gate.follow(self._lag_s)
        load = self.average = self._load_average()
        for gate in (self._refuse_by_load, self._spare_by_load):
            gate.follow(load)
        spares = self._spare_by_load.is_shut or self._spare_by_lag.is_shut
        spared = SPAM_ONLY if spares else NOTHING
        if spared != self.spared:
            self.spared = spared
            metrics.SPARES_SPAM().set(len(spared))
            self._changed()
