"""A running edge's side of the handover: gives its doors away, and leaves when it is told to.

One successor at a time; while it gets ready this edge goes on as before, and when it ends
without having said so, nothing has happened. No error leaves this module.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable, Iterable
from typing import Final

from edge_proxy import metrics
from edge_proxy.handover import messages
from edge_proxy.handover.messages import NotUnderstood
from edge_proxy.metrics import Handover
from service_kit.logs import event
from service_kit.notify import notify

_PAUSE_S: Final = 1.0
_LOG: Final = logging.getLogger(__name__)


class Offer:
    """``taken`` is called once, when a successor accepts in our place."""

    def __init__(
        self, knocker: socket.socket, doors: Iterable[socket.socket], taken: Callable[[], None]
    ) -> None:
        self._knocker = knocker
        self._doors = (*doors, knocker)
        self._taken = taken

    async def run(self) -> None:
        """Until a successor has taken over."""
        loop = asyncio.get_running_loop()
        over = False
        while not over:
            try:
                line, _ = await loop.sock_accept(self._knocker)
            except OSError as wrong:  # no descriptor is left for it: later there may be
                event(_LOG, logging.WARNING, "nobody can knock now", reason=str(wrong))
                await asyncio.sleep(_PAUSE_S)
                continue
            with line:
                over = await self._serve(line)

    async def _serve(self, line: socket.socket) -> bool:
        """Whether this one has taken over."""
        process, user = messages.peer(line)
        if not messages.is_ours(line):
            event(_LOG, logging.WARNING, "handover refused", process=process, user=user)
            return False
        event(_LOG, logging.INFO, "handover begun", process=process)
        try:
            await self._hand_over(line, process)
        except (NotUnderstood, OSError) as wrong:
            metrics.HANDOVERS(Handover.GIVEN_UP).inc()
            event(_LOG, logging.WARNING, "handover given up", process=process, reason=str(wrong))
            with contextlib.suppress(OSError):  # silence would mean that we have died
                messages.say(line, messages.NO)
            return False
        metrics.HANDOVERS(Handover.DONE).inc()
        event(_LOG, logging.INFO, "handed over", process=process)
        self._taken()
        return True

    async def _hand_over(self, line: socket.socket, process: int) -> None:
        for door in self._doors:
            messages.say(line, messages.HELLO, door)
        messages.say(line, messages.ALL)
        # No deadline: a successor bounds its own patience, and nothing waits for this one.
        await messages.expect(line, messages.READY, None)
        notify(f"MAINPID={process}")  # before it can say that it is ready
        try:
            messages.say(line, messages.YOURS)
        except OSError:
            notify(f"MAINPID={os.getpid()}")
            raise
