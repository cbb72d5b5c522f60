"""BDAT through the edge (RFC 3030), over real sockets: relayed, scanned, taken back by RSET."""

from edge_proxy import metrics
from lab.far_server import FarPlan, Moment, Say
from smtpgated_contracts.values.policy import Disposition
from tests.support.edge import InnerEdge, inner_edge
from tests.support.fake_farm import EVERYTHING, FakeFarm, fake_farm
from tests.support.fake_scanner import INFECTED_WORD
from tests.support.mail_client import ENVELOPE, MailClient

BINARY = b"Subject: x\r\n\r\n" + bytes(range(256)) + b"\r\n.\r\nQUIT\r\n\n.\n"


async def chunked(client: MailClient, *chunks: bytes) -> list[int]:
    """One transaction in one write, the last chunk LAST; the codes it is answered with."""
    *more, last = chunks
    mail, *others = ENVELOPE
    lines = b"".join(line + b"\r\n" for line in (mail + b" BODY=BINARYMIME", *others))
    lines += b"".join(b"BDAT %d\r\n%b" % (len(chunk), chunk) for chunk in more)
    await client.send_octets(lines + b"BDAT %d LAST\r\n%b" % (len(last), last))
    return [reply.code for reply in await client.replies(len(ENVELOPE) + len(chunks))]


async def test_a_message_in_chunks_is_stored_and_scanned_as_it_was_sent(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    async with edge.client() as client:
        await client.greeted()
        assert await chunked(client, BINARY, b"", b"the end") == [250] * 5
        assert (await client.quit()).code == 221
    (message,) = farm.far.messages
    assert message.content == BINARY + b"the end"
    (scan,) = farm.scanner.scans
    assert scan.content == message.content
    assert scan.envelope is not None
    assert scan.envelope.recipients == (b"b@far.example",)
    assert b"BDAT 0 LAST" in farm.far.sessions[0].commands


async def test_an_infected_message_in_chunks_does_not_cost_the_servers_connection(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    async with edge.client() as client:
        await client.greeted()
        for _ in range(3):
            assert await chunked(client, b"clean so far\r\n", INFECTED_WORD) == [250, 250, 250, 550]
            assert await chunked(client, b"clean") == [250, 250, 250]
        assert (await client.quit()).code == 221
    assert [message.content for message in farm.far.messages] == [b"clean"] * 3
    (session,) = farm.far.sessions
    assert session.verbs.count(b"RSET") == 3
    assert session.quit
    await edge.until_said("transaction", count=3, disposition="refuse", reply=550)


async def test_data_as_chunks_outlives_a_refusal(farm: FakeFarm) -> None:
    large = b".." + b"0123456789abcde\r\n" * 60_000
    as_chunks = {"smtp": {"content_as_chunks": True}}
    async with inner_edge(farm, as_chunks) as edge, edge.client() as client:
        await client.greeted()
        assert (await client.deliver(large + INFECTED_WORD + b"\r\n")).code == 550
        assert (await client.deliver(large)).code == 250
        assert (await client.quit()).code == 221
    (message,) = farm.far.messages
    assert message.content == large[1:]
    assert farm.scanner.scans[1].content == message.content
    (session,) = farm.far.sessions
    assert b"DATA" not in session.verbs


async def test_a_large_chunk_is_streamed(farm: FakeFarm, edge: InnerEdge) -> None:
    large = b"0123456789abcdef" * (4 * 65_536)
    async with edge.client() as client:
        await client.greeted()
        assert await chunked(client, large, large) == [250] * 4
    (message,) = farm.far.messages
    assert message.content == large + large
    (scan,) = farm.scanner.scans
    assert scan.streamed
    assert scan.content == message.content


async def test_a_chunk_the_server_refuses_makes_an_end_of_the_message() -> None:
    at = {Moment.BDAT: (Say("451 4.3.0 not this one"),)}
    plan = FarPlan(keywords=EVERYTHING, at=at)
    async with fake_farm(plan) as farm, inner_edge(farm) as edge, edge.client() as client:
        await client.greeted()
        assert (await chunked(client, b"one", b"two"))[2:] == [451, 503]
        assert (await client.command(b"RSET")).code == 250
        assert await chunked(client, b"again") == [250] * 3
        assert [message.content for message in farm.far.messages] == [b"again"]


async def test_a_message_above_the_limit_is_never_relayed_whole(farm: FakeFarm) -> None:
    before = metrics.TRANSACTIONS(Disposition.REFUSE)._value.get()
    limit = {"smtp": {"message_octets": 1000}}
    async with inner_edge(farm, limit) as edge, edge.client() as client:
        await client.reply()
        assert "SIZE 1000" in (await client.command(b"EHLO me.example")).texts
        declared = b"MAIL FROM:<a@customer.example> SIZE=1001"
        assert (await client.command(declared)).code == 552
        assert await chunked(client, b"x" * 600, b"x" * 401) == [250, 250, 250, 552]
        assert await chunked(client, b"x" * 1000) == [250] * 3
        assert (await client.deliver(b"y" * 1001 + b"\r\n")).code == 552
        assert (await client.quit()).code == 221
    assert [message.content for message in farm.far.messages] == [b"x" * 1000]
    assert metrics.TRANSACTIONS(Disposition.REFUSE)._value.get() == before + 2


async def test_a_message_that_drips_is_given_up(farm: FakeFarm) -> None:
    settings = {"smtp": {"content_total_s": 0.3}}
    async with inner_edge(farm, settings) as edge, edge.client() as client:
        await client.begun()
        await client.send(b"Subject: x")
        reply = await client.reply()
        assert (reply.code, reply.text) == (421, "4.4.2 Message takes too long")
        assert await client.rest() == b""
        await edge.until_said("session", closed_by="timeout")
    assert not farm.far.messages
