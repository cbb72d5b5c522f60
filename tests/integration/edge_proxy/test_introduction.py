"""What the server is told of the client: XCLIENT in front of the session, a header in the mail."""

import pytest

from lab.far_server import FarPlan, Moment, Say
from tests.support.edge import inner_edge
from tests.support.fake_farm import EVERYTHING, FakeFarm, fake_farm

XCLIENT = {"destination": {"introduce": "xclient"}}
HELLO = b"Subject: x\r\n\r\nhello\r\n"


async def test_the_server_learns_who_the_client_is_and_the_client_sees_nothing_of_it() -> None:
    plan = FarPlan(keywords=(*EVERYTHING, "XCLIENT NAME ADDR PORT PROTO HELO LOGIN"))
    async with fake_farm(plan) as farm, inner_edge(farm, XCLIENT) as edge:
        async with edge.client("127.0.0.7") as client:
            port = client.connection.getsockname()[1]
            assert (await client.reply()).code == 220
            assert (await client.command(b"MAIL FROM:<a@b>")).code == 503
            offered = await client.command(b"EHLO me.example")
            assert offered.code == 250
            assert not any(text.startswith("XCLIENT") for text in offered.texts)
            assert (await client.deliver(HELLO)).code == 250
            assert (await client.quit()).code == 221
        (session,) = farm.far.sessions
        assert session.told == [
            b"NAME=[UNAVAILABLE]",
            b"ADDR=127.0.0.7",
            b"PORT=%d" % port,
            b"PROTO=ESMTP",
            b"HELO=me.example",
        ]
        assert farm.far.messages[0].helo == b"me.example"


@pytest.mark.parametrize(
    "plan",
    [
        FarPlan(keywords=EVERYTHING),
        FarPlan(
            keywords=(*EVERYTHING, "XCLIENT NAME ADDR"),
            at={Moment.XCLIENT: Say("550 5.7.0 not from you")},
        ),
    ],
    ids=["not offered", "refused"],
)
async def test_a_server_that_cannot_be_told_is_not_talked_to(plan: FarPlan) -> None:
    async with fake_farm(plan) as farm, inner_edge(farm, XCLIENT) as edge, edge.client() as client:
        assert (await client.reply()).code == 220
        assert (await client.command(b"EHLO me.example")).code == 421
        assert await client.rest() == b""
        await edge.until_said("session", closed_by="introduction")


@pytest.mark.parametrize(("early", "code"), [("ignore", 220), ("refuse", 554)])
async def test_an_early_talker(farm: FakeFarm, early: str, code: int) -> None:
    settings = {"smtp": {"early_talker": early}}
    async with inner_edge(farm, settings) as edge, edge.client() as client:
        client.connection_sends(b"EHLO bot.example\r\n")
        assert (await client.reply()).code == code


async def test_the_trace_header_stands_above_the_message_and_counts_for_the_scanner(
    farm: FakeFarm,
) -> None:
    trace = {"style": "generic", "abuse": "abuse@isp.example", "spoofed": "remove"}
    settings = {"trace": trace, "replies": {"name": "edge.example"}}
    async with inner_edge(farm, settings) as edge, edge.client("127.0.0.7") as client:
        await client.reply()
        assert "CHUNKING" not in (await client.command(b"EHLO me.example")).texts
        spoofed = b"X-Nat-Received: from [192.0.2.1]:1\r\n\tby nobody\r\n"
        assert (await client.deliver(spoofed + HELLO)).code == 250
        port = client.connection.getsockname()[1]
    (message,) = farm.far.messages
    lines = message.content.split(b"\r\n")
    assert lines[0] == b"X-NAT-Received: from [127.0.0.7]:%d [ident-empty]" % port
    assert lines[1].startswith(b"\tby edge.example with TPROXY id ")
    assert lines[2] == b"\tabuse-to abuse@isp.example"
    assert b"\r\n".join(lines[3:]) == HELLO
    assert farm.scanner.scans[0].content == message.content
