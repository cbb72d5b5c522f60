"""An ASGI application on the process's own loop and socket; signals stay the lifecycle's.

Errors: StartError when the address cannot be had.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from service_kit.addresses import HostPort
from service_kit.errors import StartError
from service_kit.tasks import Tasks

MOST_CONNECTIONS: Final = 256
_IDLE_S: Final = 15
_LARGEST_HEAD_OCTETS: Final = 32 * 1024


class AdminServer:
    """Listens from construction on, serves between ``start`` and ``stop``."""

    def __init__(self, app: ASGIApp, listen: HostPort) -> None:
        self._socket = _bound(listen)
        self.port: Final = int(self._socket.getsockname()[1])
        self._server = _Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=_IDLE_S,
                h11_max_incomplete_event_size=_LARGEST_HEAD_OCTETS,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    def start(self, tasks: Tasks) -> None:
        self._serving = tasks.spawn(self._server.serve([self._socket]), name="admin http")

    async def stop(self, grace_s: float) -> None:
        """No new connections; requests under way may end within ``grace_s``."""
        if self._serving is None:
            self._socket.close()
            return
        self._server.should_exit = True
        done, _ = await asyncio.wait([self._serving], timeout=max(grace_s, 0))
        if not done:
            self._server.force_exit = True
            await asyncio.wait([self._serving], timeout=1)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not ours: the lifecycle has them."""
        yield


def _bound(listen: HostPort) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        opened = socket.socket(family, kind, protocol)
    except OSError as wrong:
        raise StartError(f"[admin] listen = {listen}: {wrong.strerror or wrong}") from None
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(where)
        opened.listen()
        opened.settimeout(0)
    except OSError as wrong:
        opened.close()
        raise StartError(f"cannot listen on {listen} for HTTP: {wrong.strerror or wrong}") from None
    return opened
