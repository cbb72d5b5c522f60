"""The smallest HTTP server that a probe and Prometheus need, and nothing more.

GET /metrics, /healthz (200 while the loop turns), /readyz (200 with a line a remark, or 503 with
a line a reason).
Strict: one request a connection, GET only, at most 4 KiB of it, in 5 seconds, at most 32
connections. No access control: listen where only probes and Prometheus come.
Errors: ``StartError`` when the port cannot be had. What clients do wrong is answered or closed.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from service_kit.addresses import HostPort
from service_kit.errors import StartError
from service_kit.escaping import text_for_log
from service_kit.exposition import CONTENT_TYPE, exposition
from service_kit.health import Readiness

_MOST_OCTETS: Final = 4096
_MOST_CONNECTIONS: Final = 32
_DEADLINE_S: Final = 5.0
_TEXT: Final = "text/plain; charset=utf-8"
# RFC 9112 §3: method SP request-target SP HTTP-version; only the origin form, no empty path.
_REQUEST: Final = re.compile(rb"([A-Z]{1,16}) (/[!-~]{0,1024}) HTTP/1\.[01]")


@dataclass(frozen=True, slots=True)
class Page:
    status: HTTPStatus
    body: bytes
    content_type: str = _TEXT


class StatusServer:
    """Made by ``serve_http``."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness
        self._connections = 0
        self._server: asyncio.Server | None = None
        self._pages: Mapping[bytes, Callable[[], Page]] = {
            b"/metrics": lambda: Page(HTTPStatus.OK, exposition(), CONTENT_TYPE),
            b"/healthz": lambda: Page(HTTPStatus.OK, b"alive\n"),
            b"/readyz": self._readyz,
        }

    @property
    def port(self) -> int:
        """The port it listens on; of use when port 0 was asked for."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def aclose(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def listen(self, where: HostPort | socket.socket) -> None:
        """``where``: an address, or a socket that is bound already; it is ours from now on."""
        if isinstance(where, socket.socket):
            self._server = await asyncio.start_server(
                self._connected, sock=where, limit=_MOST_OCTETS
            )
            return
        try:
            self._server = await asyncio.start_server(
                self._connected, where.host, where.port, limit=_MOST_OCTETS
            )
        except OSError as wrong:
            raise StartError(
                f"cannot listen on {where} for /metrics: {wrong.strerror or wrong}"
            ) from None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            if self._connections <= _MOST_CONNECTIONS:
                async with asyncio.timeout(_DEADLINE_S):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(_rendered(self._page(head)))
                    await writer.drain()
        except asyncio.LimitOverrunError:
            writer.write(_rendered(Page(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, b"")))
        except (TimeoutError, asyncio.IncompleteReadError, OSError):
            pass  # gone, or too slow: closing is all there is to say
        finally:
            self._connections -= 1
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_DEADLINE_S):
                    await writer.wait_closed()

    def _page(self, head: bytes) -> Page:
        asked = _REQUEST.fullmatch(head.split(b"\r\n", 1)[0])
        if asked is None:
            return Page(HTTPStatus.BAD_REQUEST, b"")
        if asked[1] != b"GET":
            return Page(HTTPStatus.METHOD_NOT_ALLOWED, b"")
        page = self._pages.get(asked[2].partition(b"?")[0])
        return page() if page is not None else Page(HTTPStatus.NOT_FOUND, b"")

    def _readyz(self) -> Page:
        if self._readiness.ready:
            return Page(HTTPStatus.OK, b"ready\n" + _lines(self._readiness.remarks))
        return Page(HTTPStatus.SERVICE_UNAVAILABLE, _lines(self._readiness.reasons))


async def serve_http(listen: HostPort | socket.socket, readiness: Readiness) -> StatusServer:
    """Start it. The caller closes it with ``aclose`` when the process ends."""
    server = StatusServer(readiness)
    await server.listen(listen)
    return server


def _lines(said: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {text_for_log(text)}\n" for name, text in said.items()).encode()


def _rendered(page: Page) -> bytes:
    body = page.body or f"{page.status.phrase}\n".encode()
    allow = "Allow: GET\r\n" if page.status is HTTPStatus.METHOD_NOT_ALLOWED else ""
    head = (
        f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\n"
        f"Content-Type: {page.content_type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Content-Type-Options: nosniff\r\n"
        f"Cache-Control: no-store\r\n{allow}"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
