import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from service_kit import status_http
from service_kit.addresses import HostPort
from service_kit.errors import StartError
from service_kit.health import Readiness
from service_kit.status_http import StatusServer, serve_http

_LOOPBACK = HostPort("127.0.0.1", 0)


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
async def server(readiness: Readiness) -> AsyncIterator[StatusServer]:
    running = await serve_http(_LOOPBACK, readiness)
    yield running
    await running.aclose()


async def _said(server: StatusServer, octets: bytes) -> tuple[str, bytes]:
    """Status line and body of the answer to one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    answer = b""
    with contextlib.suppress(ConnectionError):  # closed before it read what we wrote
        writer.write(octets)
        answer = await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0].decode(), body


async def test_metrics_are_shown(server: StatusServer) -> None:
    status, body = await _said(server, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == "HTTP/1.1 200 OK"
    assert b"# TYPE smtpgated_task_failures_total counter\n" in body


async def test_a_living_process_that_is_not_ready_says_both(
    server: StatusServer, readiness: Readiness
) -> None:
    readiness.set("redis", ready=False, why="connection\r\nrefused")
    assert await _said(server, b"GET /healthz HTTP/1.1\r\n\r\n") == ("HTTP/1.1 200 OK", b"alive\n")
    assert await _said(server, b"GET /readyz HTTP/1.1\r\n\r\n") == (
        "HTTP/1.1 503 Service Unavailable",
        b"redis: connection\\x0d\\x0arefused\n",
    )


async def test_a_ready_process_says_so(server: StatusServer) -> None:
    assert await _said(server, b"GET /readyz?x=1 HTTP/1.0\r\n\r\n") == (
        "HTTP/1.1 200 OK",
        b"ready\n",
    )


async def test_what_is_remarked_of_a_ready_process_is_shown_and_it_stays_ready(
    server: StatusServer, readiness: Readiness
) -> None:
    readiness.remark("clamd", "signatures are 4.0 days\nold")
    assert await _said(server, b"GET /readyz HTTP/1.1\r\n\r\n") == (
        "HTTP/1.1 200 OK",
        b"ready\nclamd: signatures are 4.0 days\\x0aold\n",
    )
    readiness.remark("clamd", "")
    assert (await _said(server, b"GET /readyz HTTP/1.1\r\n\r\n"))[1] == b"ready\n"


@pytest.mark.parametrize(
    ("request_octets", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
        (b"GET /metrics/../x HTTP/1.1\r\n\r\n", "404 Not Found"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "405 Method Not Allowed"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
        (b"GET http://x/metrics HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"GET /metrics HTTP/2\r\n\r\n", "400 Bad Request"),
        (b"GET  /metrics HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"EHLO me.example\r\n\r\n", "400 Bad Request"),
        (b"\x16\x03\x01\r\n\r\n", "400 Bad Request"),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 8192, "431 Request Header Fields Too Large"),
    ],
)
async def test_everything_else_is_refused(
    server: StatusServer, request_octets: bytes, status: str
) -> None:
    assert (await _said(server, request_octets))[0] == f"HTTP/1.1 {status}"


async def test_a_client_that_sends_no_request_is_closed_at_the_deadline(
    server: StatusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_http, "_DEADLINE_S", 0.01)
    assert await _said(server, b"GET /healthz HTT") == ("", b"")


async def test_more_connections_than_the_bound_are_closed_at_once(
    server: StatusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_http, "_MOST_CONNECTIONS", 1)
    _, idle = await asyncio.open_connection("127.0.0.1", server.port)
    assert await _said(server, b"GET /healthz HTTP/1.1\r\n\r\n") == ("", b"")
    idle.close()
    await idle.wait_closed()


async def test_a_port_in_use_is_a_sentence(server: StatusServer) -> None:
    taken = HostPort("127.0.0.1", server.port)
    with pytest.raises(StartError, match=f"cannot listen on {taken} for /metrics: .*in use"):
        await serve_http(taken, Readiness())


async def test_a_socket_that_is_bound_already_is_served(readiness: Readiness) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = await serve_http(listening, readiness)
        assert running.port == listening.getsockname()[1]
        assert await _said(running, b"GET /readyz HTTP/1.1\r\n\r\n") == (
            "HTTP/1.1 200 OK",
            b"ready\n",
        )
        await running.aclose()
