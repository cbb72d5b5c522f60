"""The server cannot be reached, says nothing, or goes away: rows "upstream lost" in every phase.

A message is never counted as accepted that the server did not accept.
"""

import socket
from collections.abc import Iterator

import pytest

from edge_proxy import app
from edge_proxy.relay import session as relay_session
from edge_proxy.relay.phases import PATIENCE, Phase
from edge_proxy.relay.settings import CoreSettings
from lab.far_server import Close, FarPlan, Moment, Raw, Say
from lab.far_server.plan import Twist
from tests.support.edge import inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm, fake_farm
from tests.support.mail_client import ENVELOPE
from tests.support.stations import STATIONS, halted_at


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Bound and not listening: nobody else gets it, and connecting is refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A full backlog: the kernel drops whoever wants to connect."""
    with socket.socket() as listening, socket.socket() as one, socket.socket() as two:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for waiting in (one, two):
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


async def test_original_destination_refuses(farm: FakeFarm, closed_port: int) -> None:
    settings = {"destination": {"server": f"127.0.0.1:{closed_port}"}}
    async with inner_edge(farm, settings) as edge, edge.client() as client:
        reply = await client.reply()
        assert (reply.code, reply.text[:5]) == (421, "4.4.1")
        assert await client.rest() == b""
        session = await edge.until_said("session")
    assert (session["closed_by"], session["detail"]) == ("connect", "connection refused")


async def test_original_destination_silent(farm: FakeFarm, deaf_port: int) -> None:
    settings = {
        "destination": {"server": f"127.0.0.1:{deaf_port}", "connect_timeout_s": 0.2},
    }
    async with inner_edge(farm, settings) as edge, edge.client() as client:
        reply = await client.reply()
        assert (reply.code, reply.text[:5]) == (421, "4.4.1")
        session = await edge.until_said("session")
    assert session["detail"] == "connection timed out"


async def test_original_destination_from_an_address_that_is_not_ours(farm: FakeFarm) -> None:
    settings = {"destination": {"outgoing_address": "192.0.2.1"}}
    async with inner_edge(farm, settings) as edge, edge.client() as client:
        reply = await client.reply()
        assert (reply.code, reply.text[:5]) == (421, "4.4.1")


async def test_upstream_comes_from_the_configured_address(farm: FakeFarm) -> None:
    settings = {"destination": {"outgoing_address": "127.0.0.9"}}
    async with inner_edge(farm, settings) as edge, edge.client() as client:
        await client.greeted()
    assert farm.far.sessions[0].client == "127.0.0.9"


@pytest.mark.parametrize("last_words", ["421 4.3.2 not today", "554 5.3.2 never"])
async def test_a_server_that_greets_with_a_refusal_is_relayed(last_words: str) -> None:
    plan = FarPlan(at={Moment.GREETING: Close(last_words)})
    async with fake_farm(plan) as farm, inner_edge(farm) as edge, edge.client() as client:
        assert str(await client.reply()) == last_words
        assert b"250" not in await client.rest()


SAID_WHEN_LOST = {
    "greeting": [(421, "4.4.1")],
    "command": [(421, "4.4.2")],
    "open transaction": [(421, "4.4.2")],
    "await-reply": [(421, "4.4.2")],
    "replies owed": [(421, "4.4.2")],
    "dialogue": [(421, "4.4.2")],
    "await-tls": [(421, "4.4.2")],
    "await-go-ahead": [(421, "4.4.2")],
    "verdict": [(451, "4.4.2")],
    "end owed": [(421, "4.4.2")],
}


@pytest.mark.parametrize("how", ["reset", "ended"])
@pytest.mark.parametrize("name", SAID_WHEN_LOST)
async def test_upstream_lost_in(name: str, how: str) -> None:
    async with halted_at(name) as halt:
        await (halt.wire.cut() if how == "reset" else halt.wire.hang_up())
        for said in SAID_WHEN_LOST[name]:
            reply = await halt.client.reply()
            assert (reply.code, reply.text[:5]) == said
        if name == "verdict":
            assert (await halt.client.quit()).code == 221
        assert await halt.client.rest() == b""
        await halt.edge.until_said("session")
        halt.farm.scanner.release()
        halt.farm.far.release()
        await eventually(lambda: halt.farm.far.sessions[0].closed)
        assert not halt.edge.said("transaction", disposition="release", reply=250)


async def test_upstream_lost_in_content_is_told_at_the_end_of_the_content() -> None:
    async with halted_at("content") as halt:
        await halt.wire.cut()
        await eventually(lambda: halt.farm.far.sessions[0].closed)
        await halt.client.send(b"the other half", b".", b"MAIL FROM:<c@customer.example>")
        assert [reply.code for reply in await halt.client.replies(2)] == [451, 421]
        assert await halt.client.rest() == b""
        assert halt.farm.far.message_count == 0
        line = await halt.edge.until_said("transaction")
        assert (line["disposition"], line["reply"]) == ("abandoned", 451)


async def test_upstream_lost_in_content_by_a_last_word_of_the_server() -> None:
    plan = FarPlan(at={Moment.CONTENT: Close(after_octets=10)})
    async with fake_farm(plan) as farm, inner_edge(farm) as edge, edge.client() as client:
        await client.begun()
        await client.send_octets(b"more than ten octets\r\n")
        await edge.until_said("transaction")
        await client.send_octets(b"..\r\n.\r\n")
        assert (await client.reply()).code == 451
        assert (await client.quit()).code == 221


async def test_upstream_lost_in_tunnel_closes_the_client() -> None:
    async with halted_at("tunnel") as halt:
        await halt.wire.cut()
        await halt.edge.until_said("session", closed_by="server", tunnelled=True)
        assert await halt.client.rest() == b""


async def test_upstream_gone_before_takeover_disturbs_nobody() -> None:
    async with halted_at("takeover") as halt:
        await halt.wire.cut()
        assert (await halt.client.quit()).code == 221


SAID_WHEN_SILENT = {
    "greeting": (Phase.GREETING, 421, "4.4.1"),
    "await-reply": (Phase.AWAIT_REPLY, 421, "4.4.2"),
    "replies owed": (Phase.COMMAND, 421, "4.4.2"),
    "await-tls": (Phase.AWAIT_TLS, 421, "4.4.2"),
    "await-go-ahead": (Phase.AWAIT_GO_AHEAD, 421, "4.4.2"),
    "await-chunks": (Phase.AWAIT_CHUNKS, 421, "4.4.2"),
    "end owed": (Phase.COMMAND, 421, "4.4.2"),
    "verdict": (Phase.VERDICT, 451, "4.7.1"),
}


@pytest.mark.parametrize("name", SAID_WHEN_SILENT)
async def test_upstream_silent_in(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the RFC's minutes would pass, patience is shortened for this one phase."""
    phase, code, status = SAID_WHEN_SILENT[name]
    hasty = CoreSettings(patience={**PATIENCE, phase: 0.3})
    monkeypatch.setattr(app, "core_settings", lambda _settings: hasty)
    monkeypatch.setattr(relay_session, "PATIENCE_FOR_THE_END", 0.3)
    async with halted_at(name) as halt:
        reply = await halt.client.reply()
        assert (reply.code, reply.text[:5]) == (code, status)
        assert name in STATIONS
        halt.farm.far.release()
    assert not halt.edge.said("transaction", disposition="release", reply=250)


BAD_ANSWERS: dict[str, dict[Moment, Twist]] = {
    "a go-ahead to MAIL": {Moment.MAIL: Say("354 go on")},
    "a yes to DATA": {Moment.DATA: Raw(b"250 2.0.0 fine\r\n")},
    "no reply at all": {Moment.MAIL: Raw(b"what?\r\n")},
    "two replies to one command": {Moment.MAIL: Raw(b"250 ok\r\n250 ok\r\n")},
    "an endless line": {Moment.MAIL: Raw(b"250 " + b"x" * 10_000)},
    "an endless reply": {Moment.MAIL: Raw(b"250-x\r\n" * 20_000)},
    "a bare line end": {Moment.MAIL: Raw(b"250 a\nb\r\n")},
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_a_server_that_breaks_the_protocol(name: str) -> None:
    async with (
        fake_farm(FarPlan(at=BAD_ANSWERS[name])) as farm,
        inner_edge(farm) as edge,
        edge.client() as client,
    ):
        await client.greeted()
        await client.send(*ENVELOPE, b"DATA")
        replies = await client.rest()
        assert replies.endswith(b"421 4.5.0 The server broke the protocol\r\n")
        assert b"354" not in replies
        await farm.far.wait_until(lambda: farm.far.sessions[0].closed)
        assert edge.said("protocol violation", by="upstream")
