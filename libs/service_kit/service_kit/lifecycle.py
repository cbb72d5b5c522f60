"""How a process is told to stop, and by when it has to be gone.

First SIGTERM or SIGINT: ``draining`` is set and the drain deadline begins; the service stops
accepting and lets what runs come to its border. Second signal, or a service that is still here
well after its deadline: the task that made the Lifecycle is cancelled, so that everything is
closed now. Third: the signal's default action, the kill.

``StartError`` is what a service raises for what it cannot start.
"""

import asyncio
import logging
import signal
from collections.abc import Sequence
from typing import Final

from service_kit.clock import SYSTEM_CLOCK, Clock
from service_kit.errors import StartError
from service_kit.logs import event

__all__ = ["DEFAULT_DRAIN_DEADLINE_S", "Lifecycle", "StartError"]

# Kubernetes kills 30 s after SIGTERM (terminationGracePeriodSeconds) unless told otherwise.
DEFAULT_DRAIN_DEADLINE_S: Final = 25.0
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
STOPPED_AT_ONCE: Final = "stopped at once"
# Between the end of the drain and the cancellation: time to close what was cut.
_OVERDUE_S: Final = 3.0
_LOG: Final = logging.getLogger(__name__)


class Lifecycle:
    """Made once, inside the service's main task; ``signals=()`` leaves the signals alone."""

    def __init__(
        self,
        drain_deadline_s: float = DEFAULT_DRAIN_DEADLINE_S,
        *,
        clock: Clock = SYSTEM_CLOCK,
        signals: Sequence[signal.Signals] = STOP_SIGNALS,
    ) -> None:
        self.draining = asyncio.Event()
        self._drain_deadline_s = drain_deadline_s
        self._clock = clock
        self._drain_began_s = 0.0
        self._main = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        self._overdue: asyncio.TimerHandle | None = None
        self._signals = tuple(signals)
        for each in self._signals:
            self._loop.add_signal_handler(each, self._signalled, each)

    async def wait_drain(self) -> None:
        """Returns when the process is to stop; at once if it is already."""
        await self.draining.wait()

    def begin_drain(self, cause: str, deadline_s: float | None = None) -> None:
        """What the first signal does; for a service that ends by its own decision.

        ``deadline_s``: another deadline than usual, because nobody waits for our end.
        """
        if self.draining.is_set():
            return
        if deadline_s is not None:
            self._drain_deadline_s = deadline_s
        self._drain_began_s = self._clock.monotonic_s()
        self._overdue = self._loop.call_later(
            self._drain_deadline_s + _OVERDUE_S, self._stop_at_once, "drain deadline"
        )
        self.draining.set()
        event(_LOG, logging.INFO, "draining", cause=cause, deadline_s=self._drain_deadline_s)

    def drain_remaining_s(self) -> float:
        """Seconds left for a graceful end, 0 when they are over; all of them before the drain."""
        if not self.draining.is_set():
            return self._drain_deadline_s
        spent_s = self._clock.monotonic_s() - self._drain_began_s
        return max(0.0, self._drain_deadline_s - spent_s)

    def close(self) -> None:
        """Gives the signals back. What ends the loop need not call it."""
        if self._overdue is not None:
            self._overdue.cancel()
        for each in self._signals:
            self._loop.remove_signal_handler(each)
        self._signals = ()

    def _signalled(self, received: signal.Signals) -> None:
        if not self.draining.is_set():
            self.begin_drain(received.name)
        else:
            self._stop_at_once(received.name)

    def _stop_at_once(self, cause: str) -> None:
        event(_LOG, logging.WARNING, "stopping at once", cause=cause)
        self.close()
        if self._main is not None:
            self._main.cancel(STOPPED_AT_ONCE)
