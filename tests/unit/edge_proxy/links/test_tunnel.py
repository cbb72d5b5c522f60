"""Octets pass unread, are counted by direction, and ends are passed on each way."""

from edge_proxy.links.tunnel import Tunnel
from tests.support.link_pair import link_pair


async def test_octets_pass_each_way_and_are_counted() -> None:
    async with link_pair() as down, link_pair() as up:
        tunnel = Tunnel(down.link, up.link)
        tunnel.octets_arrived(down.link, b"\x16\x03\x01")
        tunnel.octets_arrived(up.link, b"\0" * 5)
        assert await up.peer_reads() == b"\x16\x03\x01"
        assert await down.peer_reads() == b"\0" * 5
        assert (tunnel.octets_up, tunnel.octets_down, tunnel.progress) == (3, 5, 8)


async def test_an_end_is_passed_on_and_the_other_way_stays_open() -> None:
    async with link_pair() as down, link_pair() as up:
        tunnel = Tunnel(down.link, up.link)
        tunnel.octets_arrived(down.link, b"last")
        tunnel.ended(down.link)
        assert await up.peer_reads_all() == b"last"
        assert not tunnel.over
        tunnel.octets_arrived(up.link, b"answer")
        assert await down.peer_reads() == b"answer"


async def test_it_is_over_when_both_sides_have_ended() -> None:
    async with link_pair() as down, link_pair() as up:
        tunnel = Tunnel(down.link, up.link)
        tunnel.ended(up.link)
        tunnel.ended(up.link)
        assert not tunnel.over
        tunnel.ended(down.link)
        assert tunnel.over
