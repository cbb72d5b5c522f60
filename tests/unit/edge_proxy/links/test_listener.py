"""Listening sockets: families, and one sentence when the address cannot be had."""

import asyncio

import pytest

from edge_proxy.links.link import Link
from edge_proxy.links.listener import address_of, bind, listen
from edge_proxy.links.open_links import OpenLinks
from service_kit.addresses import HostPort
from service_kit.errors import StartError
from tests.support.eventually import eventually

ANY = HostPort("127.0.0.1", 0)


def test_port_0_is_any_free_one_and_can_be_asked() -> None:
    with bind(ANY, 16) as listening:
        address = address_of(listening)
        assert address.host == "127.0.0.1"
        assert address.port > 0


def test_an_address_that_is_taken_is_a_sentence() -> None:
    with bind(ANY, 16) as first:
        taken = address_of(first)
        with pytest.raises(StartError, match=rf"^cannot listen on {taken}: Address already in use"):
            bind(taken, 16)


def test_the_sentence_says_for_what_the_address_was() -> None:
    with bind(ANY, 16) as first, pytest.raises(StartError, match=r" for /metrics: Address already"):
        bind(address_of(first), 16, " for /metrics")


def test_an_address_that_is_not_ours_is_a_sentence() -> None:
    with pytest.raises(StartError, match="Cannot assign requested address"):
        bind(HostPort("192.0.2.1", 0), 16)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_dual_stack_listener_takes_both_families(host: str) -> None:
    links: list[Link] = []
    open_links = OpenLinks()

    def owner_of(link: Link) -> None:
        links.append(link)
        link.close()

    listening = bind(HostPort("::", 0), 16)
    servers = await listen([listening], 16, lambda: Link(owner_of, open_links))
    _, writer = await asyncio.open_connection(host, address_of(listening).port)
    await eventually(lambda: links)
    writer.close()
    await eventually(lambda: len(open_links) == 0)
    for server in servers:
        server.close()
