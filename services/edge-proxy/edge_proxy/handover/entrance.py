"""How a process that accepts sessions comes by its doors, whoever owns them."""

import socket
from collections.abc import Sequence
from typing import Protocol

from service_kit.health import Readiness


class Entrance(Protocol):
    @property
    def sessions(self) -> Sequence[socket.socket]:
        """Where customers come in; in the order of ``[listen] addresses``."""
        ...

    @property
    def status(self) -> socket.socket | None:
        """Where /metrics is asked for; None: not here."""
        ...

    async def open(self, readiness: Readiness) -> bool:
        """Returns when it is our turn to accept; False: we are to stop before it came to that."""
        ...

    def accepting(self) -> None:
        """Sessions are taken from now on."""
        ...

    async def leave(self) -> None:
        """Sessions are not taken any more."""
        ...
