"""STARTTLS: TLS goes through unread and counted; plaintext behind the command never does."""

import asyncio
import ssl

import pytest

from lab.far_server import FarPlan, Hold, Moment, Raw, Say
from tests.support.edge import InnerEdge, inner_edge
from tests.support.fake_farm import EVERYTHING, FakeFarm, fake_farm
from tests.support.fake_scanner import INFECTED_WORD
from tests.support.raw_far import raw_far

MEBIBYTE = 1024 * 1024


async def test_a_message_under_tls_goes_through_unread(farm: FakeFarm, edge: InnerEdge) -> None:
    async with edge.client() as client:
        await client.greeted(b"STARTTLS")
        await client.start_tls(farm.far.authority.client_context)
        await client.command(b"EHLO me.example")
        assert (await client.deliver(INFECTED_WORD + b"\r\n")).code == 250
        assert (await client.quit()).code == 221
    session = await edge.until_said("session")
    assert session["tunnelled"]
    assert session["octets_up"] > 300
    assert session["octets_down"] > 300
    assert session["transactions"] == 0
    assert farm.far.messages[0].under_tls
    assert not farm.scanner.scans


async def test_the_client_sees_the_certificate_of_the_server_it_chose(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    async with edge.client() as client:
        await client.greeted(b"STARTTLS")
        with pytest.raises(ssl.SSLCertVerificationError):
            await client.start_tls(ssl.create_default_context())


async def test_a_server_that_refuses_starttls_is_relayed_and_the_session_goes_on() -> None:
    plan = FarPlan(keywords=EVERYTHING, at={Moment.STARTTLS: Say("454 4.7.0 no TLS today")})
    async with fake_farm(plan) as farm, inner_edge(farm) as edge, edge.client() as client:
        await client.greeted()
        assert str(await client.command(b"STARTTLS")) == "454 4.7.0 no TLS today"
        assert (await client.deliver(b"hello\r\n")).code == 250
    assert len(farm.scanner.scans) == 1


@pytest.mark.parametrize("group", [True, False], ids=["one slice", "later"])
async def test_plaintext_behind_starttls_closes_the_session(group: bool) -> None:
    """The command injection of CVE-2011-0411: commands in the clear, obeyed inside TLS."""
    plan = FarPlan(keywords=EVERYTHING, at={Moment.STARTTLS: Hold()})
    async with fake_farm(plan) as farm, inner_edge(farm) as edge, edge.client() as client:
        await client.greeted()
        if group:
            await client.send(b"STARTTLS", b"MAIL FROM:<injected@example>")
        else:
            await client.send(b"STARTTLS")
            await farm.far.wait_for_held()
            await client.send(b"MAIL FROM:<injected@example>")
        reply = await client.reply()
        assert (reply.code, reply.text[:5]) == (554, "5.5.0")
        assert await client.rest() == b""
        farm.far.release()
        await farm.far.wait_until(lambda: farm.far.sessions[0].closed)
        assert farm.far.sessions[0].verbs == (b"EHLO", b"STARTTLS")
        assert edge.said("protocol violation", by="downstream")


async def test_plaintext_that_comes_with_the_220_closes_the_session() -> None:
    """Client and server speak in the same instant: whichever the edge hears first, it closes."""
    plan = FarPlan(keywords=EVERYTHING, at={Moment.STARTTLS: Hold()})
    for _ in range(20):
        async with fake_farm(plan) as farm, inner_edge(farm) as edge, edge.client() as client:
            await client.greeted()
            await client.send(b"STARTTLS")
            await farm.far.wait_for_held()
            client.connection_sends(b"MAIL FROM:<injected@example>\r\n")
            farm.far.release()
            reply = await client.reply()
            assert (reply.code, reply.text[:5]) == (554, "5.5.0")
            assert await client.rest() == b""
            assert (await edge.until_said("session"))["closed_by"] == "violation"
            assert farm.far.sessions[0].verbs == (b"EHLO", b"STARTTLS")


async def test_plaintext_of_the_server_behind_its_220_closes_the_session() -> None:
    plan = FarPlan(
        keywords=EVERYTHING,
        at={Moment.STARTTLS: Raw(b"220 2.0.0 go ahead\r\n250 injected\r\n")},
    )
    async with fake_farm(plan) as farm, inner_edge(farm) as edge, edge.client() as client:
        await client.greeted()
        reply = await client.command(b"STARTTLS")
        assert (reply.code, reply.text[:5]) == (421, "4.5.0")
        assert await client.rest() == b""
        assert edge.said("protocol violation", by="upstream")


async def test_many_octets_both_ways_through_a_tunnel_are_the_same_octets(farm: FakeFarm) -> None:
    octets = bytes(range(256)) * 4096 * 16
    came: list[bytes] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while slice_ := await reader.read(65_536):
            came.append(slice_)
            writer.write(slice_)
            await writer.drain()

    async with raw_far(echo) as address:
        settings = {"destination": {"server": str(address)}, "tunnel": {"require_tls": False}}
        async with inner_edge(farm, settings) as edge, edge.client() as client:
            await client.greeted(b"STARTTLS")
            client.write(octets)
            await client.finish()
            assert await client.rest() == octets
            session = await edge.until_said("session", tunnelled=True)
    assert b"".join(came) == octets
    in_the_clear = len(b"EHLO me.example\r\nSTARTTLS\r\n")
    assert session["octets_up"] == in_the_clear + len(octets)
    assert session["octets_down"] > len(octets)


async def test_a_tunnel_half_closed_by_the_client_still_carries_the_answer(farm: FakeFarm) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = await reader.read()
        writer.write(heard * MEBIBYTE)
        await writer.drain()

    async with raw_far(answer) as address:
        settings = {"destination": {"server": str(address)}, "tunnel": {"require_tls": False}}
        async with inner_edge(farm, settings) as edge, edge.client() as client:
            await client.greeted(b"STARTTLS")
            await client.send_octets(b"ask")
            await client.finish()
            assert await client.rest() == b"ask" * MEBIBYTE


async def test_a_tunnel_half_closed_by_the_server_still_carries_the_rest(farm: FakeFarm) -> None:
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readexactly(1))
        writer.write(b"that is all")
        writer.write_eof()
        heard.append(await reader.read())

    async with raw_far(hear) as address:
        settings = {"destination": {"server": str(address)}, "tunnel": {"require_tls": False}}
        async with inner_edge(farm, settings) as edge, edge.client() as client:
            await client.greeted(b"STARTTLS")
            await client.send_octets(b"?")
            assert await client.rest() == b"that is all"
            await client.send_octets(b"x" * MEBIBYTE)
            await client.finish()
            await edge.until_said("session", tunnelled=True)
    assert heard == [b"?", b"x" * MEBIBYTE]
