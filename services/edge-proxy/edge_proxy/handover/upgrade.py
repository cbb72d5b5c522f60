"""SIGHUP: start a successor, this program with the same arguments, whatever is installed now.

The rest is the handover's. A successor that ends before it takes over has said why on stderr,
and this edge goes on. It is not a child in asyncio's keeping: it is to outlive us.
"""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from typing import Final

from service_kit.exposition import SHARED_FOLDER_VARIABLE
from service_kit.logs import event
from service_kit.notify import for_a_successor
from service_kit.tasks import Tasks

_LOOK_EVERY_S: Final = 0.5
_LOG: Final = logging.getLogger(__name__)


class Upgrade:
    """Listens for SIGHUP from ``begin`` to ``end``."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._successor: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._signalled)

    def end(self) -> None:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)

    def _signalled(self) -> None:
        if self._successor is not None:
            event(_LOG, logging.WARNING, "upgrade under way", process=self._successor.pid)
            return
        environment = for_a_successor(os.environ)
        environment.pop(SHARED_FOLDER_VARIABLE, None)  # its metrics are its own
        command = [sys.executable, "-P", "-m", "edge_proxy", *sys.argv[1:]]
        self._successor = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603 - ourselves
        event(_LOG, logging.INFO, "successor started", process=self._successor.pid)
        self._tasks.spawn(self._watch(self._successor), name="watch the successor")

    async def _watch(self, successor: "subprocess.Popen[bytes]") -> None:
        while successor.poll() is None:  # noqa: ASYNC110 - once an upgrade
            await asyncio.sleep(_LOOK_EVERY_S)
        self._successor = None
        event(_LOG, logging.ERROR, "successor ended", code=successor.returncode)
