"""A link with a real peer: what it tells its owner, and how it ends."""

import asyncio
import socket
import struct

import pytest

from edge_proxy.links import link as link_module
from edge_proxy.links.link import HIGH_WATER, LINGER_OCTETS, Link
from edge_proxy.links.open_links import OpenLinks
from tests.support.eventually import eventually, turns
from tests.support.link_pair import Pair, link_pair

MUCH = 64 * 1024 * 1024
"""More than the kernel's buffers of both sides take."""


def reset_on_close(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def fill(pair: Pair) -> None:
    """Send until the kernel takes no more."""
    pair.link.send(b"x" * MUCH)
    await eventually(lambda: pair.link.full)


async def test_octets_go_to_the_owner_and_to_the_peer() -> None:
    async with link_pair() as pair:
        await pair.peer_sends(b"EHLO\r\n")
        await eventually(lambda: bytes(pair.owner.octets) == b"EHLO\r\n")
        pair.link.send(b"250 ")
        pair.link.send(b"ok\r\n")
        octets = b""
        while len(octets) < 8:
            octets += await pair.peer_reads()
        assert octets == b"250 ok\r\n"


async def test_a_link_has_no_nagle() -> None:
    async with link_pair() as pair:
        connection = pair.link._transport.get_extra_info("socket")
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_source_is_the_peers_address() -> None:
    async with link_pair() as pair:
        host, port = pair.peer.getsockname()
        assert (pair.link.source.address, pair.link.source.port) == (host, port)


async def test_source_of_an_ipv4_client_on_a_dual_stack_listener_is_written_as_ipv4() -> None:
    sources: list[str] = []
    loop = asyncio.get_running_loop()

    def owner_of(link: Link) -> None:
        sources.append(link.source.address)
        link.abort()

    with socket.socket(socket.AF_INET6) as listening:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind(("::", 0))
        server = await loop.create_server(lambda: Link(owner_of, OpenLinks()), sock=listening)
        port = server.sockets[0].getsockname()[1]
        for host in ("127.0.0.1", "::1"):
            _, writer = await asyncio.open_connection(host, port)
            await eventually(lambda: host in sources)  # noqa: B023 - asked before the next turn
            writer.transport.abort()
        server.close()
    assert sources == ["127.0.0.1", "::1"]


async def test_a_peer_that_ends_may_still_read() -> None:
    async with link_pair() as pair:
        pair.peer.shutdown(socket.SHUT_WR)
        await eventually(lambda: "ended" in pair.owner.told)
        pair.link.send(b"421 bye\r\n")
        pair.link.close()
        assert await pair.peer_reads_all() == b"421 bye\r\n"
        await pair.gone()


async def test_end_says_that_no_more_will_be_sent_and_goes_on_listening() -> None:
    async with link_pair() as pair:
        pair.link.send(b"last\r\n")
        pair.link.end()
        assert await pair.peer_reads_all() == b"last\r\n"
        await pair.peer_sends(b"not mine")
        await eventually(lambda: bytes(pair.owner.octets) == b"not mine")


async def test_a_peer_that_resets_is_lost() -> None:
    async with link_pair() as pair:
        reset_on_close(pair.peer)
        pair.peer.close()
        await pair.gone()
        assert pair.owner.told == ["began", "lost"]


async def test_after_close_the_owner_hears_nothing_and_the_peer_everything() -> None:
    async with link_pair() as pair:
        pair.link.send(b"221 bye\r\n")
        pair.link.close()
        pair.link.close()
        assert await pair.peer_reads_all() == b"221 bye\r\n"
        await pair.peer_sends(b"more")
        pair.peer.close()
        await pair.gone()
        assert pair.owner.told == ["began"]
        assert not pair.owner.octets


async def test_close_lets_a_peer_that_is_still_sending_read_the_last_reply() -> None:
    """Were it closed on octets nobody read, the kernel would send a reset instead of the end."""
    async with link_pair() as pair:
        pair.link.set_reading(wanted=False)
        await pair.peer_sends(b"x" * 500_000)
        pair.link.send(b"521 no\r\n")
        pair.link.close()
        await pair.peer_sends(b"x" * 2_000_000)
        assert await pair.peer_reads_all() == b"521 no\r\n"


async def test_a_peer_that_never_stops_sending_is_cut() -> None:
    async with link_pair() as pair:
        pair.link.close()
        with pytest.raises(ConnectionError):
            await pair.peer_sends(b"x" * (LINGER_OCTETS + MUCH))
        await pair.gone()


async def test_a_peer_that_never_closes_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "LINGER_S", 0.05)
    async with link_pair() as pair:
        pair.link.close()
        assert await pair.peer_reads_all() == b""
        await pair.gone()


async def test_a_peer_that_ended_and_never_reads_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "LINGER_S", 0.05)
    async with link_pair() as pair:
        await fill(pair)
        pair.peer.shutdown(socket.SHUT_WR)
        await eventually(lambda: "ended" in pair.owner.told)
        pair.link.close()
        await pair.gone()


async def test_a_peer_that_has_ended_is_not_waited_for() -> None:
    async with link_pair() as pair:
        pair.peer.shutdown(socket.SHUT_WR)
        await eventually(lambda: "ended" in pair.owner.told)
        pair.link.close()
        await turns()
        assert len(pair.open_links) == 0


async def test_abort_drops_what_is_pending_and_tells_nobody() -> None:
    async with link_pair() as pair:
        await fill(pair)
        pair.link.abort()
        came = 0
        try:
            while slice_ := await pair.peer_reads(1 << 20):
                came += len(slice_)
        except ConnectionResetError:
            pass
        assert came < MUCH
        await pair.gone()
        assert "lost" not in pair.owner.told


async def test_pending_output_fills_the_link_and_reading_empties_it() -> None:
    async with link_pair() as pair:
        await fill(pair)
        assert pair.link._transport.get_write_buffer_limits()[1] == HIGH_WATER
        came = 0
        while came < MUCH:
            came += len(await pair.peer_reads(1 << 20))
        await eventually(lambda: not pair.link.full)
        assert pair.owner.told == ["began", "full", "room"]


async def test_a_link_that_is_not_read_takes_nothing_until_it_is_again() -> None:
    async with link_pair() as pair:
        pair.link.set_reading(wanted=False)
        await pair.peer_sends(b"wait")
        await eventually(lambda: pair.link.octets_waiting() == 4)
        assert not pair.owner.octets
        pair.link.set_reading(wanted=True)
        await eventually(lambda: bytes(pair.owner.octets) == b"wait")
        assert pair.link.octets_waiting() == 0


async def test_what_is_done_to_a_link_that_is_gone_does_nothing() -> None:
    async with link_pair() as pair:
        pair.link.abort()
        await pair.gone()
        pair.link.send(b"x")
        pair.link.end()
        pair.link.set_reading(wanted=False)
        pair.link.set_reading(wanted=True)
        pair.link.close()
        pair.link.abort()


async def test_a_link_that_nobody_wants_is_turned_away_politely() -> None:
    open_links = OpenLinks()
    loop = asyncio.get_running_loop()

    def turn_away(link: Link) -> None:
        link.send(b"421 no\r\n")
        link.close()

    server = await loop.create_server(lambda: Link(turn_away, open_links), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"x" * 1_000_000)
    async with asyncio.timeout(20):
        assert await reader.read() == b"421 no\r\n"
    writer.close()
    await eventually(lambda: len(open_links) == 0)
    server.close()


async def test_a_connection_that_was_reset_before_it_was_accepted_is_nobodys() -> None:
    open_links = OpenLinks()
    asked: list[Link] = []
    loop = asyncio.get_running_loop()

    def owner_of(link: Link) -> None:
        asked.append(link)

    server = await loop.create_server(lambda: Link(owner_of, open_links), "127.0.0.1", 0)
    for _ in range(10):
        with socket.socket() as hasty:
            reset_on_close(hasty)
            hasty.connect(server.sockets[0].getsockname())
    await turns(50)
    assert not asked
    assert len(open_links) == 0
    server.close()
