"""The client goes away, wholly or by half, in every phase: nothing held is ever released."""

import socket
import struct

import pytest

from tests.support.eventually import eventually
from tests.support.mail_client import MailClient
from tests.support.stations import CONTENT, STATIONS, Halt, halted_at

RESET = struct.pack("ii", 1, 0)


def leave(client: MailClient, how: str) -> None:
    if how == "reset":
        client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.abort()


async def everything_is_over(halt: Halt) -> None:
    """No session at the edge, none at the far server, no scan, no slot at policy."""
    await halt.edge.until_said("session")
    await eventually(lambda: halt.farm.scanner.holding == 0)
    await eventually(lambda: len(halt.farm.policy.closed) == len(halt.farm.policy.opened) == 1)
    halt.farm.far.release()
    await eventually(lambda: halt.farm.far.sessions[0].closed)


OWED = (
    "greeting",
    "await-reply",
    "replies owed",
    "await-go-ahead",
    "await-chunks",
    "verdict",
    "end owed",
)
"""A client that closes looks like one that sends no more and still reads, as long as we owe it
something: what happens then is in the tests of half-closed clients."""


@pytest.mark.parametrize(
    ("name", "how"),
    [(name, "reset") for name in STATIONS]
    + [(name, "closed") for name in STATIONS if name not in OWED],
)
async def test_downstream_lost_in(name: str, how: str) -> None:
    async with halted_at(name) as halt:
        leave(halt.client, how)
        await everything_is_over(halt)
        assert halt.farm.far.message_count == (1 if name == "end owed" else 0)
        if name in ("content", "verdict"):
            assert halt.farm.far.sessions[0].cut_octets == len(CONTENT)
            assert (await halt.edge.until_said("transaction"))["disposition"] == "abandoned"


async def test_downstream_lost_in_verdict_abandons_the_scan() -> None:
    async with halted_at("verdict") as halt:
        leave(halt.client, "reset")
        await eventually(lambda: halt.farm.scanner.scans[0].end == "cancelled")


CLOSES_WITHOUT_A_WORD = ("command", "open transaction", "dialogue", "content", "takeover")


@pytest.mark.parametrize("name", CLOSES_WITHOUT_A_WORD)
async def test_half_closed_with_nothing_to_come_in(name: str) -> None:
    async with halted_at(name) as halt:
        await halt.client.finish()
        assert await halt.client.rest() == b""
        await everything_is_over(halt)
        assert halt.farm.far.message_count == 0


async def test_half_closed_before_the_greeting_still_gets_it() -> None:
    async with halted_at("command") as halt, halt.edge.client() as other:
        await other.finish()
        assert (await other.reply()).code == 220
        assert await other.rest() == b""


async def test_half_closed_after_commands_gets_all_replies() -> None:
    """RFC 9293 §3.6: who sends no more may still read."""
    async with halted_at("command") as halt:
        await halt.client.send(b"NOOP", b"MAIL FROM:<a@customer.example>", b"VRFY b")
        await halt.client.finish()
        assert [reply.code for reply in await halt.client.replies(3)] == [250, 250, 252]
        assert await halt.client.rest() == b""
        await everything_is_over(halt)


async def test_half_closed_after_the_end_gets_the_verdict() -> None:
    async with halted_at("verdict") as halt:
        await halt.client.finish()
        halt.farm.scanner.release()
        assert (await halt.client.reply()).code == 250
        assert await halt.client.rest() == b""
        await everything_is_over(halt)
        assert halt.farm.far.messages[0].content == CONTENT


async def test_half_closed_while_the_end_is_owed_gets_its_answer() -> None:
    async with halted_at("end owed") as halt:
        await halt.client.finish()
        halt.farm.far.release()
        assert (await halt.client.reply()).code == 250
        await everything_is_over(halt)


async def test_a_connection_reset_before_it_is_accepted_leaves_nothing() -> None:
    async with halted_at("command") as halt:
        for _ in range(50):
            with socket.socket() as hasty:
                hasty.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                hasty.connect((halt.edge.address.host, halt.edge.address.port))
        async with halt.edge.client() as client:
            await client.greeted()
        await eventually(lambda: len(halt.farm.policy.closed) == len(halt.farm.policy.opened) - 1)
