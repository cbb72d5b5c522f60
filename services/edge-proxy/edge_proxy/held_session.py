"""What locks do to one session, followed as their stages end by themselves.

A lock of several stages releases its subject step by step, and nobody is told of it: whoever
is held looks again when the stage ends.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from edge_proxy.ports import Hold, LockTable
from service_kit.clock import Clock
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import Stage

SOONEST_S: Final = 0.05
"""Until the next look, at least: clocks may disagree on when a stage has ended."""


class HeldSession:
    """``look_again`` is called when the stage that ``follow`` found has ended."""

    __slots__ = ("_clock", "_locks", "_look_again", "_timer", "stage")

    def __init__(self, locks: LockTable, clock: Clock, look_again: Callable[[], None]) -> None:
        self._locks = locks
        self._clock = clock
        self._look_again = look_again
        self._timer: asyncio.TimerHandle | None = None
        self.stage: Stage | None = None

    def follow(self, session: SessionRef, auth_user: bytes) -> Hold | None:
        """The hold as a change of stage to note, or None; ``stage`` is what is in force now."""
        self.stop()
        hold = self._locks.hold_on(session, auth_user)
        before, self.stage = self.stage, hold.stage if hold is not None else None
        if hold is None:
            return None
        if hold.until_ms:
            left_s = (hold.until_ms - self._clock.unix_ms()) / 1000
            delay_s = max(left_s, SOONEST_S)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._look_again)
        return hold if hold.stage is not before else None

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
