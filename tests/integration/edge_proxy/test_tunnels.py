"""Tunnels: what is known of them without decrypting anything, and what cuts them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_proxy import metrics
from edge_proxy.metrics import Side
from edge_proxy.relay.facts import CloseCause
from edge_proxy.smtp.tls_hello import TlsVersion
from lab import messages
from tests.support.edge import InnerEdge, inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm
from tests.support.mail_client import MailClient
from tests.support.mail_programs import with_curl_tls, with_smtplib_tls
from tests.support.raw_far import Talk, raw_far

HELLO = b"\x16\x03\x01\x00\x04\x01\x00\x00\x00"
SERVER_HELLO = b"\x16\x03\x01\x00\x04\x02\x00\x00\x00"
RECORD = b"\x17\x03\x03\x40\x00" + b"a" * 16_384
CONTENT = b"Subject: hello\r\n\r\n" + (b"x" * 70 + b"\r\n") * 10


@asynccontextmanager
async def tunnelled(
    farm: FakeFarm, talk: Talk, **limits: object
) -> AsyncIterator[tuple[InnerEdge, MailClient]]:
    """A client behind its STARTTLS, and ``talk`` at the other end of its tunnel."""
    async with raw_far(talk) as address:
        settings = {"destination": {"server": str(address)}, "tunnel": limits}
        async with inner_edge(farm, settings) as edge, edge.client() as client:
            await client.greeted(b"STARTTLS")
            yield edge, client


class Listener:
    """A far end that stays until the other side has ended; ``heard`` is what came.

    ``says`` is its answer to the first octets.
    """

    def __init__(self, says: bytes = b"") -> None:
        self.heard = b""
        self.gone = asyncio.Event()
        self._says = says

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while slice_ := await reader.read(65_536):
                self.heard += slice_
                writer.write(self._says)
                self._says = b""
        except ConnectionResetError:
            pass
        finally:
            self.gone.set()


async def deliver_under_tls(edge: InnerEdge, farm: FakeFarm, count: int) -> dict[str, Any]:
    """A session with so many messages; its line."""
    async with edge.client() as client:
        await client.greeted(b"STARTTLS")
        await client.start_tls(farm.far.authority.client_context, "localhost")
        await client.command(b"EHLO me.example")
        for _ in range(count):
            assert (await client.deliver(CONTENT)).code == 250
        await client.quit()
    return await edge.until_said("session", tunnelled=True)


def _value(counted: Any) -> float:
    value: float = counted._value.get()
    return value


@pytest.mark.parametrize("count", [0, 1, 5, 50])
async def test_the_sessions_line_says_what_is_known_of_a_tunnel(
    farm: FakeFarm, edge: InnerEdge, count: int
) -> None:
    session = await deliver_under_tls(edge, farm, count)
    assert session["messages_estimated"] == count
    assert session["tls"] == "TLSv1.3"
    assert session["tls_server_name"] == "localhost"
    assert session["tls_records_up"] > count * 4
    assert session["tls_records_down"] > count * 4
    assert session["tunnel_octets_up"] > count * len(CONTENT)
    assert session["octets_up"] - session["tunnel_octets_up"] == len(
        b"EHLO me.example\r\nSTARTTLS\r\n"
    )
    assert session["tunnel_s"] <= session["spent_s"]


@pytest.mark.parametrize("octets", [1_000, 300_000])
@pytest.mark.parametrize("program", ["smtplib", "curl"])
async def test_a_message_of_a_real_program_is_counted(
    farm: FakeFarm, edge: InnerEdge, program: str, octets: int, tmp_path: Path
) -> None:
    sample = messages.text(octets)
    if program == "smtplib":
        delivery = await with_smtplib_tls(edge.address, sample, farm.far.authority.client_context)
    else:
        authority = await asyncio.to_thread(farm.far.authority.write, tmp_path)
        delivery = await with_curl_tls(edge.address, sample, authority.authority)
    assert delivery.accepted, delivery.said
    assert (await edge.until_said("session"))["messages_estimated"] == 1


async def test_the_older_version_is_seen_too(farm: FakeFarm, edge: InnerEdge) -> None:
    farm.far.authority.client_context.maximum_version = ssl.TLSVersion.TLSv1_2
    session = await deliver_under_tls(edge, farm, 2)
    assert (session["tls"], session["messages_estimated"]) == ("TLSv1.2", 2)


async def test_policy_hears_of_a_tunnel_while_it_runs(farm: FakeFarm, edge: InnerEdge) -> None:
    """The edge describes its sessions when it renews their leases: after a break, at once."""
    async with edge.client() as client:
        await client.greeted(b"STARTTLS")
        await client.start_tls(farm.far.authority.client_context, "localhost")
        await client.command(b"EHLO me.example")
        assert (await client.deliver(CONTENT)).code == 250
        assert (await client.deliver(CONTENT)).code == 250
        await farm.policy.stop()
        await farm.policy.start()
        await eventually(lambda: farm.policy.renewed)
        (described,) = farm.policy.renewed
        await client.quit()
    assert (described.phase, described.transactions) == ("tunnel", 0)
    assert described.estimated_messages == 2
    assert described.octets_up > 2 * len(CONTENT)
    assert described.octets_down > 500


async def test_a_session_without_a_tunnel_says_nothing_of_tls(edge: InnerEdge) -> None:
    async with edge.client() as client:
        await client.greeted()
        await client.quit()
    assert "tls" not in await edge.until_said("session")


async def test_a_tunnel_is_counted_when_it_ends(farm: FakeFarm, edge: InnerEdge) -> None:
    counted = (
        metrics.TUNNEL_MESSAGES(),
        metrics.TUNNEL_VERSIONS(TlsVersion.TLS_1_3),
        metrics.TUNNEL_OCTETS(Side.DOWNSTREAM),
        metrics.TUNNEL_RECORDS(Side.UPSTREAM),
    )
    before = [_value(each) for each in counted]
    session = await deliver_under_tls(edge, farm, 3)
    grown = [_value(each) - was for each, was in zip(counted, before, strict=True)]
    assert grown == [3, 1, session["tunnel_octets_up"], session["tls_records_down"]]


@pytest.mark.parametrize(
    "opening", [(), (HELLO,), (HELLO + RECORD[:1000], RECORD[1000:])], ids=["", "hello", "record"]
)
async def test_plaintext_cuts_a_tunnel_and_does_not_get_through(
    farm: FakeFarm, opening: Sequence[bytes]
) -> None:
    """A server that goes on in the clear after its 220 would take mail that nobody scans."""
    listener = Listener()
    before = _value(metrics.NOT_TLS()), _value(metrics.TUNNELS_ENDED(CloseCause.NOT_TLS))
    async with tunnelled(farm, listener.talk) as (edge, client):
        for octets in opening:
            await client.send_octets(octets)
        await client.send(b"MAIL FROM:<unscanned@customer.example>")
        assert await client.rest() == b""
        session = await edge.until_said("session", closed_by="not-tls")
        await listener.gone.wait()
    assert session["tls"] == "none"
    assert session["detail"] == "the client does not speak TLS"
    assert b"unscanned" not in listener.heard
    after = _value(metrics.NOT_TLS()), _value(metrics.TUNNELS_ENDED(CloseCause.NOT_TLS))
    assert after == (before[0] + 1, before[1] + 1)


async def test_a_server_that_goes_on_in_the_clear_is_cut(farm: FakeFarm) -> None:
    listener = Listener()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"250 far.example, never mind TLS\r\n")
        await listener.talk(reader, writer)

    async with tunnelled(farm, talk) as (edge, client):
        await client.send_octets(HELLO)
        assert await client.rest() == b""
        session = await edge.until_said("session", closed_by="not-tls")
    assert session["detail"] == "the server does not speak TLS"


async def test_plaintext_passes_where_tls_is_not_required_and_is_said(farm: FakeFarm) -> None:
    listener = Listener()
    async with tunnelled(farm, listener.talk, require_tls=False) as (edge, client):
        await client.send(b"MAIL FROM:<a@customer.example>")
        await client.finish()
        await listener.gone.wait()
        session = await edge.until_said("session", tunnelled=True)
    assert listener.heard == b"MAIL FROM:<a@customer.example>\r\n"
    assert (session["closed_by"], session["tls"]) == ("client", "none")


@pytest.mark.parametrize(
    ("limits", "closed_by"),
    [
        ({"idle_s": 0.05}, CloseCause.TIMEOUT),
        ({"duration_s": 0.05}, CloseCause.TUNNEL_DURATION),
        ({"octets": len(HELLO) + 1}, CloseCause.TUNNEL_OCTETS),
    ],
    ids=["idle", "duration", "octets"],
)
async def test_a_limit_cuts_a_tunnel(
    farm: FakeFarm, limits: dict[str, object], closed_by: CloseCause
) -> None:
    listener = Listener(SERVER_HELLO)
    before = _value(metrics.TUNNELS_ENDED(closed_by))
    async with tunnelled(farm, listener.talk, **limits) as (edge, client):
        await client.send_octets(HELLO)
        await client.rest()
        await edge.until_said("session", tunnelled=True, closed_by=closed_by.value)
        await listener.gone.wait()
    assert _value(metrics.TUNNELS_ENDED(closed_by)) == before + 1


async def test_a_reset_of_the_client_reaches_the_server(farm: FakeFarm) -> None:
    listener = Listener()
    async with tunnelled(farm, listener.talk) as (edge, client):
        await client.send_octets(HELLO)
        client.abort()
        await listener.gone.wait()
        await edge.until_said("session", closed_by="client", tunnelled=True)
