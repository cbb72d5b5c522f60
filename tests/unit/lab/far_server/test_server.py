"""The far server over real sockets: what it keeps, what it refuses, how it misbehaves."""

import asyncio
import base64
import json
import smtplib
from pathlib import Path

import pytest

from lab.far_server import (
    NORMAL,
    Close,
    Delay,
    FarPlan,
    FarServer,
    Hold,
    Moment,
    Raw,
    Say,
    Silence,
)
from lab.far_server.plan import KEYWORDS
from lab.raw_client import RawClient
from service_kit.addresses import HostPort

ENVELOPE = (b"EHLO me.example", b"MAIL FROM:<a@example>", b"RCPT TO:<b@example>")
ALL = (*KEYWORDS, "AUTH PLAIN LOGIN", "STARTTLS", "CHUNKING")


async def begun(client: RawClient, *commands: bytes) -> list[int]:
    """Read the greeting, say ``commands`` one by one; the codes of all replies."""
    codes = [(await client.reply()).code]
    codes += [(await client.command(command)).code for command in commands]
    return codes


async def test_a_message_is_kept_byte_for_byte_with_its_envelope() -> None:
    async with FarServer() as far, RawClient(far.address) as client:
        assert await begun(client, *ENVELOPE, b"DATA") == [220, 250, 250, 250, 354]
        await client.send_octets(b"..dot\r\nbare\nlf \xff\x00\r\n.\r\n")
        assert (await client.reply()).code == 250
        assert (await client.command(b"QUIT")).code == 221
        await far.wait_until(lambda: far.sessions[0].closed)

    (message,) = far.messages
    assert message.content == b".dot\r\nbare\nlf \xff\x00\r\n"
    assert message.wire == b"..dot\r\nbare\nlf \xff\x00\r\n"
    assert message.helo == b"me.example"
    assert message.reverse_path == b"a@example"
    assert message.recipients == (b"b@example",)
    assert message.client == "127.0.0.1"
    assert far.sessions[0].quit
    assert far.sessions[0].cut_octets is None


async def test_the_next_group_may_stand_behind_the_terminator() -> None:
    async with FarServer() as far, RawClient(far.address) as client:
        await begun(client, b"EHLO me")
        await client.send(*ENVELOPE[1:], b"DATA")
        assert [r.code for r in await client.replies(3)] == [250, 250, 354]
        await client.send(b"one", b".", *ENVELOPE[1:], b"DATA")
        assert [r.code for r in await client.replies(4)] == [250, 250, 250, 354]
        await client.send(b"two", b".", b"QUIT")
        assert [r.code for r in await client.replies(2)] == [250, 221]
    assert [message.content for message in far.messages] == [b"one\r\n", b"two\r\n"]
    assert not far.sessions[0].impatient


async def test_a_group_without_the_offer_of_pipelining_is_noted() -> None:
    async with FarServer(FarPlan(keywords=())) as far, RawClient(far.address) as client:
        await begun(client, b"EHLO me")
        await client.send(*ENVELOPE[1:])
        await client.replies(2)
        assert far.sessions[0].impatient


async def test_content_before_the_go_ahead_is_noted() -> None:
    async with FarServer() as far, RawClient(far.address) as client:
        await begun(client, *ENVELOPE)
        await client.send(b"DATA", b"too early", b".")
        await client.replies(2)
        assert far.sessions[0].impatient


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        ((b"MAIL FROM:<a@example>",), 503),
        ((b"EHLO me", b"RCPT TO:<b@example>"), 503),
        ((b"EHLO me", b"DATA"), 503),
        ((b"EHLO me", b"MAIL FROM:<a>", b"DATA"), 554),
        ((b"EHLO me", b"MAIL FROM:<a>", b"MAIL FROM:<a>"), 503),
        ((b"EHLO",), 501),
        ((b"EHLO me", b"MAIL FROM: <a@example>"), 501),
        ((b"EHLO me", b"MAIL FROM:<a> SIZE=999999999"), 552),
        ((b"EHLO me", b"MAIL FROM:<a> SIZE=1k"), 501),
        ((b"EHLO me", b"MAIL FROM:<a> REQUIRETLS"), 555),
        ((b"EHLO me", b"STARTTLS"), 502),
        ((b"EHLO me", b"AUTH PLAIN"), 502),
        ((b"EHLO me", b"BDAT 3"), 502),
        ((b"EHLO me", b"NOOP\nNOOP"), 500),
        ((b"EHLO me", b"EH\0LO me"), 500),
        ((b"GET / HTTP/1.1",), 500),
    ],
)
async def test_what_is_not_to_the_letter_is_refused(commands: tuple[bytes, ...], code: int) -> None:
    async with FarServer() as far, RawClient(far.address) as client:
        assert (await begun(client, *commands))[-1] == code


async def test_an_endless_line_ends_the_session() -> None:
    async with FarServer() as far, RawClient(far.address) as client:
        await begun(client)
        await client.send_octets(b"A" * 20_000)
        assert (await client.rest()).startswith(b"500 ")


async def test_chunks_are_content_and_nothing_is_unstuffed() -> None:
    async with FarServer(FarPlan(keywords=ALL)) as far, RawClient(far.address) as client:
        await begun(client, *ENVELOPE)
        await client.send_octets(b"BDAT 6\r\n..a\r\n.BDAT 3 LAST\r\nxyzNOOP\r\n")
        assert [r.code for r in await client.replies(3)] == [250, 250, 250]
        await client.send(*ENVELOPE[1:])
        await client.replies(2)
        await client.send_octets(b"BDAT 2\r\nhiBDAT 0 LAST\r\n")
        assert [r.code for r in await client.replies(2)] == [250, 250]
    assert [message.content for message in far.messages] == [b"..a\r\n.xyz", b"hi"]


def authenticate(address: HostPort, mechanism: str, password: str) -> int:
    with smtplib.SMTP(address.host, address.port, timeout=20) as client:
        client.ehlo()
        client.user, client.password = "joe", password
        try:
            return client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))[0]
        except smtplib.SMTPAuthenticationError as refused:
            return refused.smtp_code


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_smtplib_authenticates_with_the_right_password_only(mechanism: str) -> None:
    async with FarServer(FarPlan(keywords=ALL, accounts={"joe": "right"})) as far:
        right = await asyncio.to_thread(authenticate, far.address, mechanism, "right")
        wrong = await asyncio.to_thread(authenticate, far.address, mechanism, "wrong")
        assert (right, wrong) == (235, 535)
        assert [session.account for session in far.sessions] == ["joe", ""]


async def test_auth_can_be_cancelled_and_garbage_is_no_answer() -> None:
    async with FarServer(FarPlan(keywords=ALL)) as far, RawClient(far.address) as client:
        assert await begun(client, b"EHLO me", b"AUTH LOGIN", b"*") == [220, 250, 334, 501]
        assert (await client.command(b"AUTH PLAIN %%%")).code == 501
        assert (await client.command(b"AUTH PLAIN " + base64.b64encode(b"one"))).code == 501
        assert (await client.command(b"AUTH CRAM-MD5")).code == 504
        assert (await client.command(b"NOOP")).code == 250


async def test_starttls_is_real_and_forgets_what_was_said() -> None:
    async with FarServer(FarPlan(keywords=ALL)) as far, RawClient(far.address) as client:
        assert await begun(client, b"EHLO me", b"STARTTLS") == [220, 250, 220]
        await client.start_tls(far.authority.client_context)
        assert (await client.command(b"MAIL FROM:<a@example>")).code == 503
        offered = await client.command(b"EHLO me")
        assert "STARTTLS" not in offered.texts
        for command in (*ENVELOPE[1:], b"DATA"):
            await client.command(command)
        await client.send(b"secret", b".")
        assert (await client.reply()).code == 250
    assert far.messages[0].under_tls
    assert far.messages[0].content == b"secret\r\n"


async def test_plaintext_behind_starttls_is_kept_as_evidence_and_ends_the_session() -> None:
    async with FarServer(FarPlan(keywords=ALL)) as far, RawClient(far.address) as client:
        await begun(client, b"EHLO me")
        await client.send(b"STARTTLS", b"MAIL FROM:<injected@example>")
        assert (await client.rest()).startswith(b"503 ")
        assert far.sessions[0].behind_starttls == b"MAIL FROM:<injected@example>\r\n"


async def test_a_tuple_of_twists_is_used_up() -> None:
    plan = FarPlan(at={Moment.RCPT: (NORMAL, Say("550 5.1.1 nobody\n"[:-1]))})
    async with FarServer(plan) as far, RawClient(far.address) as client:
        codes = await begun(client, *ENVELOPE, b"RCPT TO:<c@example>", b"RCPT TO:<d@example>")
        assert codes[3:] == [250, 550, 250]


async def test_a_refused_end_keeps_nothing() -> None:
    plan = FarPlan(at={Moment.END: Say("451 4.3.0 try later")})
    async with FarServer(plan) as far, RawClient(far.address) as client:
        await begun(client, *ENVELOPE, b"DATA")
        await client.send(b"text", b".")
        assert str(await client.reply()) == "451 4.3.0 try later"
        assert (await client.command(b"MAIL FROM:<a@example>")).code == 250
        assert far.message_count == 0


async def test_a_reply_of_several_lines() -> None:
    plan = FarPlan(at={Moment.EHLO: Say("250-odd\n250-ODD WORDS\n250 END")})
    async with FarServer(plan) as far, RawClient(far.address) as client:
        await client.reply()
        assert (await client.command(b"EHLO me")).texts == ("odd", "ODD WORDS", "END")


async def test_raw_octets_stand_where_the_reply_would() -> None:
    plan = FarPlan(keywords=ALL, at={Moment.STARTTLS: Raw(b"220 go\r\n250 injected\r\n")})
    async with FarServer(plan) as far, RawClient(far.address) as client:
        await begun(client, b"EHLO me")
        await client.send(b"STARTTLS")
        assert [str(r) for r in await client.replies(2)] == ["220 go", "250 injected"]


async def test_silence_answers_nothing_and_reads_on() -> None:
    plan = FarPlan(at={Moment.NOOP: (Silence(),)})
    async with FarServer(plan) as far, RawClient(far.address) as client:
        await begun(client, b"EHLO me")
        await client.send(b"NOOP", b"VRFY x")
        assert (await client.reply()).code == 252


async def test_delay_answers_in_the_end_and_in_order() -> None:
    plan = FarPlan(at={Moment.GREETING: Delay(0.01), Moment.MAIL: Delay(0.01)})
    async with FarServer(plan) as far, RawClient(far.address) as client:
        assert await begun(client, *ENVELOPE) == [220, 250, 250, 250]


async def test_hold_waits_until_it_is_released() -> None:
    plan = FarPlan(at={Moment.END: Hold()})
    async with FarServer(plan) as far, RawClient(far.address) as client:
        await begun(client, *ENVELOPE, b"DATA")
        await client.send(b"text", b".", b"NOOP")
        await far.wait_for_held()
        assert far.message_count == 0
        far.release()
        assert [r.code for r in await client.replies(2)] == [250, 250]
        await far.wait_for_messages(1)


async def test_held_content_is_not_read_until_released() -> None:
    plan = FarPlan(at={Moment.CONTENT: Hold()}, receive_buffer_octets=4096)
    async with FarServer(plan) as far, RawClient(far.address, patience_s=5) as client:
        await begun(client, *ENVELOPE, b"DATA")
        await far.wait_for_held()
        await client.send_octets(b"x" * 5000 + b"\r\n.\r\n")
        assert far.sessions[0].commands[-1] == b"DATA"
        far.release()
        assert (await client.reply()).code == 250
    assert len(far.messages[0].content) == 5002


async def test_close_at_a_command_says_its_last_words() -> None:
    plan = FarPlan(at={Moment.MAIL: Close("421 4.3.2 leaving")})
    async with FarServer(plan) as far, RawClient(far.address) as client:
        await begun(client, b"EHLO me")
        await client.send(b"MAIL FROM:<a@example>")
        assert await client.rest() == b"421 4.3.2 leaving\r\n"


async def test_close_in_the_middle_of_content_leaves_a_cut_message() -> None:
    plan = FarPlan(at={Moment.CONTENT: Close(after_octets=1000)})
    async with FarServer(plan) as far, RawClient(far.address) as client:
        await begun(client, *ENVELOPE, b"DATA")
        await client.send_octets(b"x" * 2000)
        assert await client.rest() == b""
        await far.wait_until(lambda: far.sessions[0].closed)
        assert (far.sessions[0].cut_octets or 0) >= 1000
        assert far.message_count == 0


async def test_a_client_that_leaves_in_content_is_recorded_as_cut() -> None:
    async with FarServer() as far:
        async with RawClient(far.address) as client:
            await begun(client, *ENVELOPE, b"DATA")
            await client.send_octets(b"half a mess")
            await client.finish()
            await client.rest()
        await far.wait_until(lambda: far.sessions[0].closed)
        assert far.sessions[0].cut_octets == len(b"half a mess")


async def test_a_pace_reads_everything_in_the_end() -> None:
    plan = FarPlan(octets_per_s=1_000_000, receive_buffer_octets=4096)
    async with FarServer(plan) as far, RawClient(far.address) as client:
        await begun(client, *ENVELOPE, b"DATA")
        await client.send_octets(b"x" * 100_000 + b"\r\n.\r\n")
        assert (await client.reply()).code == 250
        assert len(far.messages[0].content) == 100_002


async def test_larger_than_size_is_refused_at_the_end() -> None:
    plan = FarPlan(keywords=("SIZE 1000",))
    async with FarServer(plan) as far, RawClient(far.address) as client:
        await begun(client, *ENVELOPE, b"DATA")
        await client.send_octets(b"x" * 2000 + b"\r\n.\r\n")
        assert (await client.reply()).code == 552
        assert far.message_count == 0


async def test_only_the_newest_are_remembered_but_all_are_counted() -> None:
    async with FarServer(FarPlan(keep=1)) as far, RawClient(far.address) as client:
        await begun(client, b"EHLO me")
        for text in (b"one", b"two"):
            for command in (*ENVELOPE[1:], b"DATA"):
                await client.command(command)
            await client.send(text, b".")
            await client.reply()
        assert far.message_count == 2
        assert [message.content for message in far.messages] == [b"two\r\n"]


async def test_a_folder_gets_every_message(tmp_path: Path) -> None:
    async with FarServer(folder=tmp_path) as far, RawClient(far.address) as client:
        await begun(client, *ENVELOPE, b"DATA")
        await client.send(b"\xff text", b".")
        await client.reply()
    assert (tmp_path / "000001.eml").read_bytes() == b"\xff text\r\n"
    described = json.loads((tmp_path / "000001.json").read_text())
    assert described["recipients"] == ["b@example"]


async def test_ipv6() -> None:
    async with FarServer(listen=HostPort("::1", 0)) as far, RawClient(far.address) as client:
        assert await begun(client) == [220]


async def test_who_the_client_is_can_be_told_by_xclient_where_it_is_offered() -> None:
    plan = FarPlan(keywords=(*KEYWORDS, "XCLIENT NAME ADDR"))
    async with FarServer(plan) as far, RawClient(far.address) as client:
        told = (b"EHLO proxy", b"XCLIENT ADDR=192.0.2.7 NAME=[UNAVAILABLE]", b"XCLIENT PORT=1")
        assert await begun(client, *told) == [220, 250, 220, 220]
        assert far.sessions[0].told == [b"ADDR=192.0.2.7", b"NAME=[UNAVAILABLE]", b"PORT=1"]
        assert (await client.command(b"MAIL FROM:<a@example>")).code == 503
        assert (await client.command(b"XCLIENT nonsense")).code == 501
    async with FarServer() as far, RawClient(far.address) as client:
        assert await begun(client, b"XCLIENT ADDR=192.0.2.7") == [220, 502]
