"""Octets pass unread, are counted by direction, kept within limits, and ends are passed on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from edge_proxy.links.tunnel import Tunnel, TunnelLimits
from edge_proxy.relay.facts import CloseCause
from edge_proxy.smtp.tls_hello import TlsVersion
from tests.support.eventually import eventually
from tests.support.link_pair import Pair, link_pair
from tests.support.tls_talk import NAME, TlsTalk, whole_talk

HELLO = b"\x16\x03\x01\x00\x04\x01\x00\x00\x00"
RECORD = b"\x17\x03\x03\x00\x64" + b"a" * 100
MAIL = [
    (True, b"EHLO me.example\r\n"),
    (False, b"250 far.example\r\n"),
    (True, b"DATA\r\n"),
    (False, b"354 go ahead\r\n"),
    (True, b"Subject: x\r\n" * 1000 + b".\r\n"),
    (False, b"250 kept\r\n"),
]


@dataclass
class Played:
    """A tunnel between two links with real peers; ``cuts`` are those it has asked for."""

    tunnel: Tunnel
    down: Pair
    up: Pair
    cuts: list[tuple[CloseCause, str]] = field(default_factory=list)

    def from_client(self, octets: bytes) -> None:
        self.tunnel.octets_arrived(self.down.link, octets)

    def from_server(self, octets: bytes) -> None:
        self.tunnel.octets_arrived(self.up.link, octets)


@asynccontextmanager
async def a_tunnel(limits: TunnelLimits = TunnelLimits()) -> AsyncIterator[Played]:  # noqa: B008 - frozen
    cuts: list[tuple[CloseCause, str]] = []
    async with link_pair() as down, link_pair() as up:
        tunnel = Tunnel(
            down.link, up.link, limits, lambda cause, detail: cuts.append((cause, detail))
        )
        yield Played(tunnel, down, up, cuts)
        tunnel.stop()


async def test_octets_pass_each_way_and_are_counted() -> None:
    async with a_tunnel() as played:
        played.from_client(HELLO)
        played.from_server(b"\x16\x03\x01")
        assert await played.up.peer_reads() == HELLO
        assert await played.down.peer_reads() == b"\x16\x03\x01"
        tunnel = played.tunnel
        assert (tunnel.octets_up, tunnel.octets_down, tunnel.progress) == (9, 3, 12)


async def test_a_mail_session_is_described_without_being_read() -> None:
    flights = whole_talk(TlsTalk(), MAIL)
    async with a_tunnel() as played:
        for flight in flights:
            (played.from_client if flight.up else played.from_server)(flight.octets)
        record = played.tunnel.stop()
    assert (record.server_name, record.version) == (NAME, TlsVersion.TLS_1_3)
    assert (record.messages, record.is_tls) == (1, True)
    assert record.octets_up == sum(len(each.octets) for each in flights if each.up)
    assert record.octets_down == sum(len(each.octets) for each in flights if not each.up)
    assert record.records_up >= 5
    assert record.records_down >= 6
    assert not played.cuts


async def test_plaintext_of_the_client_cuts_and_is_not_passed_on() -> None:
    async with a_tunnel() as played:
        played.from_client(b"MAIL FROM:<a@customer.example>\r\n")
        assert played.cuts == [(CloseCause.NOT_TLS, "the client does not speak TLS")]
        played.from_client(HELLO)
        played.tunnel.ended(played.down.link)
        assert await played.up.peer_reads_all() == b""
        assert not played.tunnel.stop().is_tls
    assert len(played.cuts) == 1


async def test_plaintext_behind_tls_cuts_and_is_not_passed_on() -> None:
    async with a_tunnel() as played:
        played.from_client(HELLO + RECORD)
        played.from_client(b"MAIL FROM:<a@customer.example>\r\n")
        played.tunnel.ended(played.down.link)
        assert await played.up.peer_reads_all() == HELLO + RECORD
    assert [cause for cause, _ in played.cuts] == [CloseCause.NOT_TLS]


async def test_plaintext_of_the_server_cuts() -> None:
    async with a_tunnel() as played:
        played.from_server(b"454 4.7.0 not today\r\n")
        played.tunnel.ended(played.up.link)
        assert await played.down.peer_reads_all() == b""
    assert played.cuts == [(CloseCause.NOT_TLS, "the server does not speak TLS")]


async def test_plaintext_passes_where_that_was_chosen_and_is_said() -> None:
    async with a_tunnel(TunnelLimits(require_tls=False)) as played:
        played.from_client(b"MAIL FROM:<a@customer.example>\r\n")
        played.from_client(b"RSET\r\n")
        played.tunnel.ended(played.down.link)
        assert await played.up.peer_reads_all() == b"MAIL FROM:<a@customer.example>\r\nRSET\r\n"
        assert not played.tunnel.stop().is_tls
    assert not played.cuts


async def test_octets_of_both_ways_together_are_limited() -> None:
    limits = TunnelLimits(octets=len(HELLO) * 2 + len(RECORD))
    async with a_tunnel(limits) as played:
        played.from_client(HELLO)
        played.from_server(b"\x16\x03\x01\x00\x04\x02\x00\x00\x00")
        played.from_client(RECORD)
        assert not played.cuts
        played.from_client(RECORD)
        played.tunnel.ended(played.down.link)
        assert await played.up.peer_reads_all() == HELLO + RECORD
    assert played.cuts == [(CloseCause.TUNNEL_OCTETS, "")]


async def test_a_tunnel_that_lasts_too_long_is_cut() -> None:
    async with a_tunnel(TunnelLimits(duration_s=0.01)) as played:
        await eventually(lambda: played.cuts)
    assert played.cuts == [(CloseCause.TUNNEL_DURATION, "")]


async def test_a_tunnel_that_has_stopped_is_not_cut() -> None:
    async with a_tunnel(TunnelLimits(duration_s=0.001)) as played:
        played.tunnel.stop()
        passed = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, passed.set)
        await passed.wait()
    assert not played.cuts


@pytest.mark.parametrize("octets", [b"", HELLO])
async def test_an_end_is_passed_on_and_the_other_way_stays_open(octets: bytes) -> None:
    async with a_tunnel() as played:
        played.from_client(octets)
        played.tunnel.ended(played.down.link)
        assert await played.up.peer_reads_all() == octets
        assert played.tunnel.ended_by is None
        played.from_server(b"\x16\x03\x03")
        assert await played.down.peer_reads() == b"\x16\x03\x03"


@pytest.mark.parametrize("by", [CloseCause.CLIENT, CloseCause.SERVER])
async def test_it_is_over_when_both_sides_have_ended_and_says_who_was_first(by: CloseCause) -> None:
    async with a_tunnel() as played:
        links = [played.down.link, played.up.link]
        first, second = links if by is CloseCause.CLIENT else reversed(links)
        played.tunnel.ended(first)
        played.tunnel.ended(first)
        assert played.tunnel.ended_by is None
        played.tunnel.ended(second)
        assert played.tunnel.ended_by is by
