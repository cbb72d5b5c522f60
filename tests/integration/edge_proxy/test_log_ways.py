"""Where an edge's lines go and what they say of addresses: real receivers, a real edge."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from edge_proxy.address_privacy import keyed_hash
from tests.support.edge import edge_process, inner_edge, settings_for
from tests.support.eventually import PATIENCE_S, eventually
from tests.support.fake_farm import FakeFarm, fake_farm
from tests.support.mail_client import MailClient

SYSLOG = re.compile(r"<(\d+)>1 \S+Z \S+ edge-proxy \d+ (\S+) - (\S.*)")
FORGED = b"x\xff <22>1 2026-01-01T00:00:00Z forged x 1 forged - forged \x1b[2J"


class _Receiver(asyncio.Protocol):
    """Counted frames over TCP (RFC 6587 §3.4.1), strictly: anything else is an error."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._octets = b""

    def data_received(self, data: bytes) -> None:
        self._octets += data
        while match := re.match(rb"([1-9]\d*) ", self._octets):
            end = match.end() + int(match[1])
            if len(self._octets) < end:
                return
            self.lines.append(self._octets[match.end() : end].decode())
            self._octets = self._octets[end:]

    def of(self, kind: str) -> list[str]:
        return [line for line in self.lines if (found := SYSLOG.match(line)) and found[2] == kind]


async def _one_session(client: MailClient, helo: bytes = b"me.example") -> None:
    async with client:
        await client.greeted()
        assert (await client.command(b"EHLO " + helo)).code == 250
        assert (await client.deliver(b"hello\r\n")).code == 250
        await client.quit()


@asynccontextmanager
async def _receiving() -> AsyncIterator[tuple[_Receiver, str]]:
    """A receiver and where it listens."""
    receiver = _Receiver()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: receiver, "127.0.0.1", 0)
    try:
        yield receiver, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_an_edge_writes_whole_frames_over_tcp(farm: FakeFarm) -> None:
    async with _receiving() as (receiver, at):
        log = {"format": "syslog", "syslog": at, "syslog_transport": "tcp"}
        port = _free()
        tables = settings_for(farm, {"log": log, "listen": {"addresses": [f"127.0.0.1:{port}"]}})
        ready = ("listening", "policy_stream_opened", "rulebook_in_force")
        async with edge_process(tables, is_ready=lambda _: all(map(receiver.of, ready))) as edge:
            edge.events.append({"event": "listening", "at": [f"127.0.0.1:{port}"]})
            await _one_session(edge.client(), FORGED)
            await eventually(lambda: receiver.of("session"))
    (session,), (transaction,) = receiver.of("session"), receiver.of("transaction")
    assert all(SYSLOG.fullmatch(line) for line in receiver.lines)
    assert "sender=a@customer.example" in transaction
    assert r'helo="x\xff <22>1' in session
    assert r"\x1b[2J" in session


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


async def test_an_edge_starts_and_relays_while_the_receiver_is_away(farm: FakeFarm) -> None:
    log = {"format": "syslog", "syslog": f"127.0.0.1:{_free()}", "syslog_transport": "tcp"}
    port = _free()
    tables = settings_for(farm, {"log": log, "listen": {"addresses": [f"127.0.0.1:{port}"]}})

    async with edge_process(tables, is_ready=lambda _: farm.policy.watchers) as edge:
        edge.events.append({"event": "listening", "at": [f"127.0.0.1:{port}"]})
        await _until_listening(port)
        await edge.until_greeted(220)
        await _one_session(edge.client())
        assert any("does not answer; lines wait" in line for line in edge.stray_lines)


async def _until_listening(port: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0)


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "key"
    path.write_text("only for this test\n")
    return str(path)


async def _said(farm: FakeFarm, log: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The lines of the message and of the session, and everything that was said."""
    async with inner_edge(farm, {"log": log}) as edge:
        await _one_session(edge.client())
        session = await edge.until_said("session", transactions=1)
        transaction = await edge.until_said("transaction")
        return transaction, session, json.dumps(edge.events)


async def test_addresses_are_said_as_the_settings_want(farm: FakeFarm, key_file: str) -> None:
    transaction, session, everything = await _said(
        farm,
        {
            "helo": "off",
            "mail_from": ["accepted", "hmac"],
            "rcpt_to": "legacy-md5",
            "hash_key_file": key_file,
        },
    )
    assert (
        transaction["sender"] == keyed_hash(b"a@customer.example", b"only for this test").decode()
    )
    assert re.fullmatch(r"[A-Za-z0-9+/]{22}", transaction["recipients"][0])
    assert session["helo"] is None
    for secret in ("customer.example", "far.example", "me.example", "only for this test"):
        assert secret not in everything


async def test_refused_addresses_are_said_where_they_may_be() -> None:
    nobody = '\nschema = 1\n[[rules]]\nid = "nobody"\nphase = "rcpt"\naction = "refuse"\n'
    for words, said in (("rejected", ["b@far.example"]), ("accepted", [])):
        async with (
            fake_farm(rulebook=nobody) as farm,
            inner_edge(farm, {"log": {"rcpt_to": words}}) as edge,
        ):
            async with edge.client() as client:
                await client.greeted(b"MAIL FROM:<a@customer.example>")
                assert (await client.command(b"RCPT TO:<b@far.example>")).code == 550
                await client.quit()
            session = await edge.until_said("session")
        assert [each["address"] for each in session["refused"]] == said
        assert all((each["verb"], each["code"]) == ("RCPT", 0) for each in session["refused"])
