"""What strangers send that no mail program does: a clear reply in its turn, or a closed connection.

Nothing that could be read in two ways is relayed; what the client is told, it can read, even
when it is still sending.
"""

import pytest

from rulebook.defaults import DEFAULT_DOCUMENT
from tests.support.edge import InnerEdge, inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm, fake_farm
from tests.support.fake_scanner import INFECTED_WORD
from tests.support.mail_client import ENVELOPE

MUCH = b"x" * 76 + b"\r\n"


def with_limit(octets: int, oversize: str) -> str:
    return DEFAULT_DOCUMENT.replace("limit_octets = 67108864", f"limit_octets = {octets}").replace(
        'oversize = "refuse"', f'oversize = "{oversize}"'
    )


async def test_content_too_large_to_scan_is_refused() -> None:
    async with (
        fake_farm(rulebook=with_limit(1000, "refuse")) as farm,
        inner_edge(farm) as edge,
        edge.client() as client,
    ):
        await client.greeted()
        refused = await client.deliver(MUCH * 100)
        assert (refused.code, refused.text[:5]) == (552, "5.3.4")
        await eventually(lambda: farm.far.sessions[0].closed)
        assert farm.far.message_count == 0
        assert not farm.scanner.scans


async def test_content_too_large_to_scan_is_released_if_the_rulebook_says_so() -> None:
    async with (
        fake_farm(rulebook=with_limit(1000, "release")) as farm,
        inner_edge(farm) as edge,
        edge.client() as client,
    ):
        await client.greeted()
        assert (await client.deliver(MUCH * 100)).code == 250
        assert (await edge.until_said("transaction"))["rule"] == "oversize"
        assert farm.far.messages[0].content == MUCH * 100


@pytest.mark.parametrize(("where", "code"), [(0, 550), (50, 250)], ids=["head", "tail"])
async def test_content_too_large_to_scan_is_judged_by_its_head(where: int, code: int) -> None:
    lines = [MUCH] * 100
    lines[where] = INFECTED_WORD + b"\r\n"
    async with (
        fake_farm(rulebook=with_limit(1000, "head")) as farm,
        inner_edge(farm) as edge,
        edge.client() as client,
    ):
        await client.greeted()
        assert (await client.deliver(b"".join(lines))).code == code
        (scan,) = farm.scanner.scans
        assert scan.head_only
        assert scan.content == b"".join(lines)[:1000]


AMBIGUOUS = (
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r.\n",
    b"\n.\r",
    b"\r\n.\0\r\n",
)


@pytest.mark.parametrize("end", AMBIGUOUS, ids=repr)
async def test_ambiguous_end_of_data(farm: FakeFarm, edge: InnerEdge, end: bytes) -> None:
    async with edge.client() as client:
        await client.begun()
        smuggled = b"MAIL FROM:<smuggled@example>\r\nRCPT TO:<b@far.example>\r\nDATA\r\nx\r\n.\r\n"
        await client.send_octets(b"seen\r\n")
        await eventually(lambda: edge.said("session") or farm.far.sessions)
        await client.send_octets(b"unseen" + end + smuggled)
        reply = await client.reply()
        assert (reply.code, reply.text[:5]) == (521, "5.5.2")
        assert await client.rest() == b""
    await eventually(lambda: farm.far.sessions[0].closed)
    assert farm.far.message_count == 0
    assert farm.far.sessions[0].verbs == (b"EHLO", b"MAIL", b"RCPT", b"DATA")
    assert farm.far.sessions[0].cut_octets in (0, len(b"seen\r\n"))


BAD_LINES = {
    "bare LF": b"NOOP\nNOOP\r\n",
    "bare CR": b"NOOP\rNOOP\r\n",
    "NUL in a command": b"NO\0OP\r\n",
    "only LF": b"NOOP\n",
    "CR CR LF": b"NOOP\r\r\n",
}


@pytest.mark.parametrize("name", BAD_LINES)
async def test_a_line_that_could_be_two(farm: FakeFarm, edge: InnerEdge, name: str) -> None:
    async with edge.client() as client:
        await client.greeted()
        await client.send_octets(BAD_LINES[name])
        assert (await client.reply()).code == 521
        assert await client.rest() == b""
    await eventually(lambda: farm.far.sessions[0].closed)
    assert farm.far.sessions[0].verbs == (b"EHLO",)


async def test_a_long_command_is_refused_and_the_session_goes_on(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    async with edge.client() as client:
        await client.greeted()
        refused = await client.command(b"NOOP " + b"x" * 3000)
        assert (refused.code, refused.text[:5]) == (500, "5.5.2")
        assert (await client.command(b"NOOP")).code == 250
    assert farm.far.sessions[0].commands == [b"EHLO me.example", b"NOOP"]


@pytest.mark.parametrize("length", [20_000, 3_000_000])
async def test_an_endless_line_ends_the_session(edge: InnerEdge, length: int) -> None:
    async with edge.client() as client:
        await client.greeted()
        client.write(b"x" * length)
        assert (await client.reply()).code == 500
        assert await client.rest() == b""


HTTP = (
    b"POST / HTTP/1.1\r\nHost: mail.example\r\nContent-Length: 60\r\n\r\n"
    b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\n"
)


async def test_http_on_an_smtp_port(farm: FakeFarm, edge: InnerEdge) -> None:
    async with edge.client() as client:
        await client.send_octets(HTTP)
        assert (await client.reply()).code == 220
        assert (await client.reply()).code == 521
        assert await client.rest() == b""
    await eventually(lambda: farm.far.sessions[0].closed)
    assert farm.far.sessions[0].commands == []


async def test_bdat_that_was_not_offered_loses_its_octets(farm: FakeFarm) -> None:
    chunk = b"MAIL FROM:<smuggled@example>\r\n" * 100
    masked = {"smtp": {"chunking": False}}
    async with inner_edge(farm, masked) as edge, edge.client() as client:
        await client.reply()
        assert "CHUNKING" not in (await client.command(b"EHLO me.example")).texts
        await client.send_octets(b"BDAT %d LAST\r\n" % len(chunk) + chunk + b"NOOP\r\n")
        assert [reply.code for reply in await client.replies(2)] == [502, 250]
    assert farm.far.sessions[0].verbs == (b"EHLO", b"NOOP")


async def test_too_many_refused_commands_end_the_session(edge: InnerEdge) -> None:
    async with edge.client() as client:
        await client.greeted()
        await client.send(*([b"XYZZY"] * 30))
        codes = [int(line[:3]) for line in (await client.rest()).splitlines()]
    assert codes == [502] * 20 + [421]


REFUSED_WHILE_SENDING = {
    "an ambiguous end": ((*ENVELOPE, b"DATA"), b"x\n.\n"),
    "a bare line end in a command": ((), b"NOOP\nNOOP\r\n"),
    "HTTP": ((), HTTP),
}


@pytest.mark.parametrize("name", REFUSED_WHILE_SENDING)
async def test_the_last_reply_reaches_a_client_that_is_still_sending(
    edge: InnerEdge, name: str
) -> None:
    """Closing on octets that were not read sends a reset, and a reset eats the reply."""
    commands, octets = REFUSED_WHILE_SENDING[name]
    async with edge.client() as client:
        await client.greeted(*commands)
        client.write(octets + MUCH * 40_000)
        assert (await client.reply()).code == 521
        assert await client.rest() == b""


async def test_locked_out_clients_that_send_at_once_can_read_why(farm: FakeFarm) -> None:
    async with inner_edge(farm, {"limits": {"sessions": 1}}) as edge, edge.client() as first:
        await first.greeted()
        async with edge.client() as second:
            second.write(MUCH * 20_000)
            assert (await second.reply()).code == 421
            assert await second.rest() == b""


async def test_credentials_are_in_no_event(farm: FakeFarm, edge: InnerEdge) -> None:
    async with edge.client() as client:
        await client.greeted(b"AUTH PLAIN AHVzZXIAc2VjcmV0")
        await client.quit()
    async with edge.client() as client:
        await client.greeted(b"AUTH LOGIN", b"dXNlcg==", b"c2VjcmV0")
        assert (await client.deliver(b"x\r\n")).code == 250
        await client.quit()
    await edge.until_said("session", count=2, auth_accepted=1)
    for each in edge.events:
        assert "c2VjcmV0" not in str(each)
        assert "AHVz" not in str(each)
    assert [session.account for session in farm.far.sessions] == ["user", "user"]


async def test_forged_arguments_make_no_line_of_their_own(farm: FakeFarm, edge: InnerEdge) -> None:
    async with edge.client() as client:
        await client.reply()
        await client.command(b'EHLO \x1b[2J{"event":"forged"}\xff%s%n')
        for command in ENVELOPE:
            await client.command(command)
        await client.quit()
    session = await edge.until_said("session")
    assert session["helo"] == '\\x1b[2J{"event":"forged"}\\xff%s%n'
