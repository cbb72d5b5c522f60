"""SIGTERM: nobody new, what runs comes to its border, and at the deadline nothing is released."""

import signal

import pytest

from tests.support.edge import edge_process, settings_for
from tests.support.eventually import eventually, turns
from tests.support.fake_farm import FakeFarm
from tests.support.fake_scanner import Step
from tests.support.mail_client import ENVELOPE
from tests.support.stations import CONTENT, Halt, halted_at

AT_ONCE = {"drain_deadline_s": 0.2}
SOON = "4.3.2"


def drain(halt: Halt) -> None:
    halt.edge.lifecycle.begin_drain("test")


async def ends(halt: Halt) -> None:
    """The edge has stopped by itself, without waiting for its deadline."""
    halt.client.abort()
    await eventually(halt.edge.running.done)
    assert halt.edge.lifecycle.drain_remaining_s() > 0


async def test_drain_in_command_says_so_and_closes() -> None:
    async with halted_at("command") as halt:
        drain(halt)
        reply = await halt.client.reply()
        assert (reply.code, reply.text[:5]) == (421, SOON)
        assert await halt.client.rest() == b""
        await ends(halt)


async def test_drain_accepts_nobody_new() -> None:
    async with halted_at("content") as halt:
        drain(halt)
        await turns()  # the listening socket is closed by then
        with pytest.raises(ConnectionRefusedError):
            await halt.edge.greeting()


async def test_drain_in_an_open_transaction_lets_it_finish() -> None:
    async with halted_at("open transaction") as halt:
        drain(halt)
        assert (await halt.client.command(b"DATA")).code == 354
        await halt.client.send(b"hello", b".")
        assert (await halt.client.reply()).code == 250
        assert (await halt.client.reply()).code == 421
        await ends(halt)
        assert halt.farm.far.message_count == 1


@pytest.mark.parametrize("name", ["content", "verdict", "end owed"])
async def test_drain_never_cuts_a_message(name: str) -> None:
    async with halted_at(name) as halt:
        drain(halt)
        await turns()
        if name == "content":
            await halt.client.send(b".")
        halt.farm.scanner.release()
        halt.farm.far.release()
        assert (await halt.client.reply()).code == 250
        reply = await halt.client.reply()
        assert (reply.code, reply.text[:5]) == (421, SOON)
        assert await halt.client.rest() == b""
        await ends(halt)
        assert halt.farm.far.messages[0].content == CONTENT
        await eventually(lambda: halt.farm.policy.outcomes)


async def test_drain_puts_off_the_next_message_of_a_pipelined_session() -> None:
    async with halted_at("content") as halt:
        drain(halt)
        await halt.client.send(b".", *ENVELOPE, b"DATA")
        assert [reply.code for reply in await halt.client.replies(2)] == [250, 421]
        await ends(halt)
        assert halt.farm.far.message_count == 1


async def test_drain_in_takeover_and_greeting_ends_by_itself() -> None:
    async with halted_at("takeover") as halt:
        drain(halt)
        assert (await halt.client.quit()).code == 221
        await ends(halt)


async def test_drain_lets_a_tunnel_go_on_until_the_deadline() -> None:
    async with halted_at("tunnel", AT_ONCE) as halt:
        drain(halt)
        assert (await halt.client.command(b"EHLO me.example")).code == 250
        assert await halt.client.rest() == b""
        halt.client.abort()
        await eventually(halt.edge.running.done)
        assert halt.edge.said("session", closed_by="drain", tunnelled=True)


AT_THE_DEADLINE = {
    "greeting": 421,
    "open transaction": 421,
    "await-reply": 421,
    "await-tls": 421,
    "await-go-ahead": 421,
    "dialogue": 421,
    "content": 451,
    "verdict": 451,
    "end owed": 421,
}


@pytest.mark.parametrize("name", AT_THE_DEADLINE)
async def test_drain_deadline_in(name: str) -> None:
    async with halted_at(name, AT_ONCE) as halt:
        drain(halt)
        reply = await halt.client.reply()
        assert (reply.code, reply.text[:5]) == (AT_THE_DEADLINE[name], SOON)
        assert await halt.client.rest() == b""
        halt.client.abort()
        await eventually(halt.edge.running.done)
        assert halt.edge.said("session", closed_by="drain")
        assert halt.farm.far.message_count == 0
        await eventually(lambda: len(halt.farm.policy.closed) == 1)


async def test_drain_deadline_reply_reaches_a_client_that_is_still_sending() -> None:
    async with halted_at("content", AT_ONCE) as halt:
        halt.client.write(b"x" * 1_000_000)
        drain(halt)
        halt.client.write(b"x" * 2_000_000)
        assert (await halt.client.reply()).code == 451


async def test_sigterm_ends_a_process_when_its_message_is_through(farm: FakeFarm) -> None:
    farm.scanner.plan.append(Step(hold=True))
    async with edge_process(settings_for(farm)) as edge:
        await edge.until_policy_is_there()
        async with edge.client() as client:
            await client.begun()
            await client.send(b"hello", b".")
            await eventually(lambda: farm.scanner.holding)
            edge.terminate()
            await edge.until_said("draining")
            farm.scanner.release()
            assert [reply.code for reply in await client.replies(2)] == [250, 421]
        assert await edge.wait() == 0
    assert farm.far.message_count == 1
    assert edge.stray_lines == []


async def test_a_second_signal_ends_a_process_at_once(farm: FakeFarm) -> None:
    farm.scanner.plan.append(Step(hold=True))
    async with edge_process(settings_for(farm)) as edge:
        await edge.until_policy_is_there()
        async with edge.client() as client:
            await client.begun()
            await client.send(b"hello", b".")
            await eventually(lambda: farm.scanner.holding)
            edge.process.send_signal(signal.SIGINT)
            await edge.until_said("draining")
            edge.process.send_signal(signal.SIGINT)
            assert await edge.wait() == 0
            assert b"250" not in await client.rest()
    assert farm.far.message_count == 0
    assert edge.stray_lines == []
