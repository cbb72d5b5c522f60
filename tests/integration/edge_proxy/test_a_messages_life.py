"""One message from a client through the edge to the far server, over real sockets."""

import pytest

from tests.support.edge import InnerEdge, inner_edge
from tests.support.eventually import eventually, turns
from tests.support.fake_farm import FakeFarm, fake_farm
from tests.support.fake_scanner import INFECTED_WORD, SUSPECT_WORD, UNSCANNED_WORD
from tests.support.mail_client import ENVELOPE, MailClient

HELLO = b"Subject: x\r\n\r\nhello\r\n"
OPEN_VIRUS = 'stances = { virus = "open", spam = "open" }'
CLOSED_VIRUS = 'stances = { virus = "closed", spam = "open" }'


async def test_a_clean_message_is_stored_as_it_was_sent(farm: FakeFarm, edge: InnerEdge) -> None:
    async with edge.client() as client:
        await client.greeted()
        assert (await client.deliver(HELLO)).code == 250
        assert (await client.quit()).code == 221
        assert await client.rest() == b""

    (message,) = farm.far.messages
    assert message.content == HELLO
    assert message.reverse_path == b"a@customer.example"
    assert message.recipients == (b"b@far.example",)
    assert farm.far.sessions[0].quit
    (scan,) = farm.scanner.scans
    assert scan.content == HELLO
    assert scan.envelope is not None
    assert scan.envelope.recipients == (b"b@far.example",)
    assert scan.envelope.helo == b"me.example"


async def test_a_clean_message_leaves_one_line_one_outcome_and_no_session(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    async with edge.client() as client:
        await client.greeted()
        await client.deliver(HELLO)
        await client.quit()
    line = await edge.until_said("transaction")
    assert (line["disposition"], line["reply"], line["octets"]) == ("release", 250, len(HELLO))
    session = await edge.until_said("session")
    assert (session["closed_by"], session["transactions"]) == ("quit", 1)
    await eventually(lambda: farm.policy.outcomes)
    assert farm.policy.outcomes[0].reply_code == 250
    await eventually(lambda: farm.policy.closed == [farm.policy.opened[0].session_id])


async def test_infected_after_data(farm: FakeFarm, edge: InnerEdge) -> None:
    async with edge.client() as client:
        await client.greeted()
        refused = await client.deliver(b"x\r\n" + INFECTED_WORD + b"\r\n")
        assert refused.code == 550
        assert refused.text.startswith("5.7.1 ")
        assert (await client.command(b"NOOP")).code == 250
        assert (await client.quit()).code == 221
        assert await client.rest() == b""
    await farm.far.wait_until(lambda: farm.far.sessions[0].closed)
    assert farm.far.message_count == 0
    assert farm.far.sessions[0].cut_octets == len(INFECTED_WORD) + 5
    assert not farm.far.sessions[0].quit
    line = await edge.until_said("transaction")
    assert (line["disposition"], line["found"]) == ("refuse", ["Test.Virus"])


async def test_after_a_refusal_the_next_message_is_put_off(farm: FakeFarm, edge: InnerEdge) -> None:
    async with edge.client() as client:
        await client.greeted()
        assert (await client.deliver(SUSPECT_WORD + b"\r\n")).code == 550
        assert (await client.command(ENVELOPE[0])).code == 421
        assert await client.rest() == b""
    assert farm.far.message_count == 0


async def test_unscanned_and_closed(farm: FakeFarm, edge: InnerEdge) -> None:
    async with edge.client() as client:
        await client.greeted()
        put_off = await client.deliver(UNSCANNED_WORD + b"\r\n")
        assert (put_off.code, put_off.text[:5]) == (451, "4.7.1")
    await farm.far.wait_until(lambda: farm.far.sessions[0].closed)
    assert farm.far.message_count == 0


async def test_unscanned_and_open() -> None:
    async with fake_farm() as farm:
        assert farm.policy.rulebook is not None
        farm.policy.rulebook = farm.policy.rulebook.replace(CLOSED_VIRUS, OPEN_VIRUS)
        async with inner_edge(farm) as edge, edge.client() as client:
            await client.greeted()
            assert (await client.deliver(UNSCANNED_WORD + b"\r\n")).code == 250
            line = await edge.until_said("transaction")
        assert farm.far.messages[0].content == UNSCANNED_WORD + b"\r\n"
        assert (line["disposition"], line["verdict"]) == ("release", "unscanned")


async def test_three_messages_pipelined_in_one_session(farm: FakeFarm, edge: InnerEdge) -> None:
    """RFC 2920: each group may follow the terminator of the message before it."""
    contents = [b"one\r\n", b"..two\r\n.\t\r\n", b"three\r\n" * 1000]
    async with edge.client() as client:
        await client.greeted()
        group = b"\r\n".join((*ENVELOPE, b"DATA", b""))
        await client.send_octets(group)
        for content in contents:
            assert [reply.code for reply in await client.replies(3)] == [250, 250, 354]
            following = b"QUIT\r\n" if content is contents[-1] else group
            await client.send_octets(content + b".\r\n" + following)
            assert (await client.reply()).code == 250
        assert (await client.reply()).code == 221

    stored = [message.content for message in farm.far.messages]
    assert stored == [b"one\r\n", b".two\r\n\t\r\n", b"three\r\n" * 1000]
    assert [scan.content for scan in farm.scanner.scans] == stored


async def test_a_message_infected_among_pipelined_ones_leaves_the_clean_ones(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    async with edge.client() as client:
        await client.greeted(*ENVELOPE, b"DATA")
        await client.send(b"clean", b".", *ENVELOPE, b"DATA")
        assert [reply.code for reply in await client.replies(4)] == [250, 250, 250, 354]
        await client.send(INFECTED_WORD, b".", *ENVELOPE, b"DATA", b"QUIT")
        assert [reply.code for reply in await client.replies(2)] == [550, 421]
        assert await client.rest() == b""
    assert [message.content for message in farm.far.messages] == [b"clean\r\n"]


ODD_CONTENTS = {
    "empty": b"",
    "one empty line": b"\r\n",
    "eight bit": bytes(octet for octet in range(1, 256) if octet not in b"\r\n") + b"\r\n",
    "bare line feeds": b"a\nb\n\nc\r\n\n\r\n",
    "dots": b"..\r\n...\r\n.. .\r\n..\tx\r\na.b.\r\n",
    "long line": b"x" * 100_000 + b"\r\n",
    "long line of dots": b"." * 100_001 + b"\r\n",
    "only CR and LF": b"\r\n" * 50_000,
}


@pytest.mark.parametrize("name", ODD_CONTENTS)
async def test_content_arrives_byte_for_byte(farm: FakeFarm, edge: InnerEdge, name: str) -> None:
    content = ODD_CONTENTS[name]
    async with edge.client() as client:
        await client.greeted()
        assert (await client.deliver(content)).code == 250
    (message,) = farm.far.messages
    assert message.wire == content
    assert farm.scanner.scans[0].content == message.content


async def test_a_client_that_writes_octet_by_octet(farm: FakeFarm, edge: InnerEdge) -> None:
    """Every cut at once: the whole session, each octet a segment of its own (TCP_NODELAY)."""
    dialogue = b"EHLO me.example\r\n" + b"\r\n".join((*ENVELOPE, b"DATA", b""))
    content = b"..a\r\n..\r\nb.\r\n..x\r\n\r\n"
    async with edge.client() as client:
        await client.reply()
        await _drip(client, dialogue)
        assert [reply.code for reply in await client.replies(4)] == [250, 250, 250, 354]
        await _drip(client, content + b".\r\nQUIT\r\n")
        assert [reply.code for reply in await client.replies(2)] == [250, 221]
    (message,) = farm.far.messages
    assert message.wire == content


async def test_a_message_cut_in_two_at_every_octet(farm: FakeFarm, edge: InnerEdge) -> None:
    wire = b"..a\r\nb.\r\n..\r\n.\r\n"
    for cut in range(1, len(wire)):
        async with edge.client() as client:
            await client.begun()
            await client.send_octets(wire[:cut])
            await turns()
            await client.send_octets(wire[cut:])
            assert (await client.reply()).code == 250, cut
    assert {message.wire for message in farm.far.messages} == {wire[:-3]}
    assert {scan.content for scan in farm.scanner.scans} == {b".a\r\nb.\r\n.\r\n"}
    assert farm.far.message_count == len(wire) - 1


async def _drip(client: MailClient, octets: bytes) -> None:
    for octet in octets:
        await client.send_octets(bytes((octet,)))
        await turns(2)
