import asyncio
from collections.abc import AsyncIterator

import pytest

from service_kit.addresses import HostPort
from service_kit.health import Readiness
from service_kit.metrics import serve_http
from service_kit.probe import why_not_ready


@pytest.fixture
async def status() -> AsyncIterator[tuple[Readiness, HostPort]]:
    readiness = Readiness("rulebook")
    server = await serve_http(HostPort("127.0.0.1", 0), readiness)
    yield readiness, HostPort("127.0.0.1", server.port)
    await server.aclose()


async def test_nothing_is_said_against_a_service_that_is_ready(
    status: tuple[Readiness, HostPort],
) -> None:
    readiness, address = status
    readiness.set("rulebook", ready=True)
    assert await asyncio.to_thread(why_not_ready, address) == ""


async def test_the_service_itself_says_why_not(status: tuple[Readiness, HostPort]) -> None:
    _, address = status
    assert "rulebook" in await asyncio.to_thread(why_not_ready, address)


async def test_who_listens_everywhere_is_asked_on_this_machine(
    status: tuple[Readiness, HostPort],
) -> None:
    readiness, address = status
    readiness.set("rulebook", ready=True)
    assert await asyncio.to_thread(why_not_ready, HostPort("0.0.0.0", address.port)) == ""


async def test_a_service_that_does_not_run_is_not_ready() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert "does not answer" in await asyncio.to_thread(why_not_ready, HostPort("127.0.0.1", port))
