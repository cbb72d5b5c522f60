"""SMTP smuggling (CVE-2023-51764 and kin): no second message behind an end that is no end.

Each sequence goes to the server directly, to show what it makes of it, and through the edge,
where nothing may come out of it but a refusal.
"""

import pytest

from lab.far_server import FarServer
from lab.farm import Farm
from lab.raw_client import RawClient
from service_kit.addresses import HostPort
from tests.support.mail_client import MailClient
from tests.support.postfix import Postfix

# What stands between the first message's last line and the smuggled commands.
ENDS = {
    "LF . LF": b"\n.\n",
    "LF . CRLF": b"\n.\r\n",
    "CRLF . LF": b"\r\n.\n",
    "CR . CR": b"\r.\r",
    "CR . CRLF": b"\r.\r\n",
    "CRLF . CR": b"\r\n.\r",
}
SMUGGLED = b"MAIL FROM:<smuggled@far.example>\r\nRCPT TO:<b@far.example>\r\nDATA\r\n"


def content(end: bytes, mark: bytes) -> bytes:
    return (
        b"Subject: " + mark + b"-outer\r\n\r\ntext" + end + SMUGGLED
        + b"Subject: " + mark + b"-inner\r\n\r\ntext\r\n.\r\n"
    )  # fmt: skip


async def send(address: HostPort, octets: bytes) -> list[int]:
    """The codes of every reply behind the 354 until the server has nothing more to say."""
    async with MailClient(address) as client:
        await client.begun()
        await client.send_octets(octets)
        await client.send(b"QUIT")
        return [int(line[:3]) for line in (await client.rest()).splitlines()]


def inner_messages(postfix: Postfix, mark: bytes) -> list[bytes]:
    return [each for each in postfix.messages() if b"\nSubject: " + mark + b"-inner\n" in each]


async def test_the_lenient_server_can_be_smuggled_through_when_reached_directly(
    lenient_postfix: Postfix,
) -> None:
    """Without this the tests below would prove nothing."""
    assert await send(lenient_postfix.address, content(b"\n.\n", b"direct")) == [
        250, 250, 250, 354, 250, 221,
    ]  # fmt: skip
    assert await lenient_postfix.stored(b"Subject: direct-inner")


@pytest.mark.parametrize("name", ENDS)
async def test_nothing_is_smuggled_to_a_lenient_server(
    farm_before_lenient: Farm, lenient_postfix: Postfix, name: str
) -> None:
    mark = name.replace(" ", "").encode()
    codes = await send(farm_before_lenient.edge_address, content(ENDS[name], mark))
    assert codes == [521]
    assert not [each for each in lenient_postfix.messages() if b"Subject: " + mark in each]


@pytest.mark.parametrize("name", ENDS)
async def test_nothing_ambiguous_is_relayed_to_any_server(
    farm: Farm, far: FarServer, name: str
) -> None:
    assert await send(farm.edge_address, content(ENDS[name], b"x")) == [521]
    await far.wait_until(lambda: far.sessions[-1].closed)
    assert far.message_count == 0
    assert b"MAIL FROM:<smuggled@far.example>" not in far.sessions[-1].commands


async def test_bare_newlines_elsewhere_are_the_servers_own_business(
    farm: Farm, far: FarServer
) -> None:
    """They end nothing anywhere, and a relay that mended them would break signatures."""
    async with MailClient(farm.edge_address) as client:
        await client.begun()
        await client.send_octets(b"Subject: x\r\n\r\nbare\nlf\r\n.\r\n")
        assert (await client.reply()).code == 250
    assert far.messages[0].content == b"Subject: x\r\n\r\nbare\nlf\r\n"


@pytest.mark.parametrize("text", [b"bare\rcr", b"cr too many\r", b"n\0l", b"lf\n.dot"])
async def test_what_servers_mend_reaches_none(farm: Farm, far: FarServer, text: bytes) -> None:
    octets = b"Subject: x\r\n\r\n" + text + b"\r\n.\r\n"
    assert await send(farm.edge_address, octets) == [521]
    await far.wait_until(lambda: far.sessions[-1].closed)
    assert far.message_count == 0


async def test_a_strict_servers_refusal_of_bare_newlines_reaches_the_client(
    farm_before_strict: Farm,
) -> None:
    async with MailClient(farm_before_strict.edge_address) as client:
        await client.begun()
        await client.send_octets(b"Subject: x\r\n\r\nbare\nlf\r\n.\r\n")
        reply = await client.reply()
    assert (reply.code, reply.text.split()[0]) == (550, "5.5.2")


async def test_a_chunk_is_content_whatever_it_says(farm: Farm, far: FarServer) -> None:
    """RFC 3030 §2: its size alone says where it ends."""
    content = b"Subject: x\r\n\r\ntext\r\n.\r\n" + SMUGGLED + b"Subject: inner\r\n\r\n.\r\n"
    async with RawClient(farm.edge_address) as client:
        await client.reply()
        assert "CHUNKING" in (await client.command(b"EHLO me.example")).texts
        await client.send(b"MAIL FROM:<a@far.example>", b"RCPT TO:<b@far.example>")
        await client.replies(2)
        await client.send_octets(b"BDAT %d LAST\r\n%bQUIT\r\n" % (len(content), content))
        assert [reply.code for reply in await client.replies(2)] == [250, 221]
    assert [message.content for message in far.messages] == [content]
    assert far.sessions[-1].verbs.count(b"MAIL") == 1
