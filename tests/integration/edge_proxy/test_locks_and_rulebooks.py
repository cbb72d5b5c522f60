"""Locks and rulebooks that are pushed while sessions run: they bite at once, and let go again."""

import pytest

from rulebook.defaults import DEFAULT_DOCUMENT
from service_kit.clock import SYSTEM_CLOCK
from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.locks import lock_to_wire
from smtpgated_contracts.values.policy import Lock
from tests.support.edge import InnerEdge, inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import LOCKING_RULEBOOK, FakeFarm, fake_farm
from tests.support.fake_scanner import INFECTED_WORD, Step
from tests.support.mail_client import ENVELOPE, MailClient
from tests.support.stations import Halt, halted_at

SUBJECT = "address:127.0.0.1"
ELSE = "127.0.0.2"


async def locked(halt: Halt) -> None:
    """Push a lock on the client's source, and wait until the edge has taken it."""
    halt.farm.policy.put_locks(Lock(SUBJECT, "by hand"))
    await halt.edge.until_greeted(554)


async def test_source_locked_is_told_instead_of_the_greeting(farm: FakeFarm) -> None:
    farm.policy.locks = {SUBJECT: Lock(SUBJECT, "by hand")}
    async with inner_edge(farm) as edge:
        reply = await edge.until_greeted(554)
        assert reply.text.startswith("5.7.1 ")
        connected = len(farm.far.sessions)
        assert (await edge.greeting()).code == 554
        assert len(farm.far.sessions) == connected
        assert (await edge.greeting(ELSE)).code == 220
        assert edge.said("session", closed_by="lock")


async def test_lock_pushed_into_a_session_refuses_the_next_mail_and_nothing_else() -> None:
    async with halted_at("command") as halt:
        await locked(halt)
        assert (await halt.client.command(b"NOOP")).code == 250
        refused = await halt.client.command(ENVELOPE[0])
        assert (refused.code, refused.text[:5]) == (550, "5.7.1")
        halt.farm.policy.remove_locks(SUBJECT)
        await halt.edge.until_greeted(220)
        assert (await halt.client.deliver(b"hello\r\n")).code == 250


async def test_lock_pushed_while_the_end_is_held_defers_it() -> None:
    async with halted_at("verdict") as halt:
        await locked(halt)
        halt.farm.scanner.release()
        deferred = await halt.client.reply()
        assert (deferred.code, deferred.text[:5]) == (451, "4.7.1")
        await eventually(lambda: halt.farm.far.sessions[0].closed)
        assert halt.farm.far.message_count == 0


async def test_lock_pushed_in_content_defers_the_end() -> None:
    async with halted_at("content") as halt:
        await locked(halt)
        await halt.client.send(b".")
        assert (await halt.client.reply()).code == 451
        assert halt.farm.far.message_count == 0


async def test_lock_pushed_while_the_end_is_owed_changes_nothing() -> None:
    async with halted_at("end owed") as halt:
        await locked(halt)
        halt.farm.far.release()
        assert (await halt.client.reply()).code == 250


async def test_lock_cuts_a_tunnel() -> None:
    async with halted_at("tunnel") as halt:
        halt.farm.policy.put_locks(Lock(SUBJECT, "by hand"))
        assert await halt.client.rest() == b""
        await halt.edge.until_said("session", closed_by="lock", tunnelled=True)
        await halt.farm.far.wait_until(lambda: halt.farm.far.sessions[0].closed)


async def test_a_lock_that_has_expired_holds_nobody(farm: FakeFarm) -> None:
    past, future = 1, SYSTEM_CLOCK.unix_ms() + 3_600_000
    farm.policy.locks = {
        SUBJECT: Lock(SUBJECT, "old", expires_at_ms=past),
        f"address:{ELSE}": Lock(f"address:{ELSE}", "new", expires_at_ms=future),
    }
    async with inner_edge(farm) as edge:
        await edge.until_greeted(554, ELSE)
        assert (await edge.greeting()).code == 220


async def test_a_snapshot_may_come_in_parts_and_counts_when_it_is_whole(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    farm.policy.put_locks(Lock("address:127.0.0.3", "goes with the snapshot"))
    await edge.until_greeted(554, "127.0.0.3")
    parts = [lock_to_wire(Lock(f"address:127.0.0.{last}", "part")) for last in (4, 5)]
    farm.policy.push(snapshot(parts[0], more=True))
    farm.policy.put_locks(Lock("address:127.0.0.6", "between"))
    await edge.until_greeted(554, "127.0.0.6")
    assert (await edge.greeting("127.0.0.3")).code == 554
    assert (await edge.greeting("127.0.0.4")).code == 220
    farm.policy.push(snapshot(parts[1], more=False))
    await edge.until_greeted(554, "127.0.0.5")
    assert (await edge.greeting("127.0.0.4")).code == 554
    assert (await edge.greeting("127.0.0.3")).code == 220


def snapshot(lock: policy_pb2.Lock, *, more: bool) -> policy_pb2.WatchUpdate:
    return policy_pb2.WatchUpdate(lock_snapshot=policy_pb2.LockSnapshot(locks=[lock], more=more))


async def test_after_a_break_the_new_snapshot_is_what_holds(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    farm.policy.put_locks(Lock(SUBJECT, "removed in the break"))
    await edge.until_greeted(554)
    async with MailClient(edge.address, ELSE) as client:
        await client.greeted()
        await farm.policy.stop()
        farm.policy.locks = {f"address:{ELSE}": Lock(f"address:{ELSE}", "put in the break")}
        await farm.policy.start()
        await edge.until_greeted(554, ELSE)
        assert (await edge.greeting()).code == 220
        assert (await client.command(ENVELOPE[0])).code == 550


async def test_an_infected_message_asks_for_a_lock_on_its_source() -> None:
    async with (
        fake_farm(rulebook=LOCKING_RULEBOOK) as farm,
        inner_edge(farm) as edge,
        edge.client(ELSE) as client,
    ):
        await client.greeted()
        assert (await client.deliver(INFECTED_WORD + b"\r\n")).code == 550
        await eventually(lambda: farm.policy.outcomes)
        (lock,) = farm.policy.outcomes[0].locks
        assert (lock.subject, lock.cause) == (f"address:{ELSE}", "infected")
        assert lock.expires_at_ms - lock.created_at_ms == 3_600_000
        assert farm.policy.outcomes[0].rulebook_version == 1


@pytest.mark.parametrize("treatment", ["mask", "refuse"])
async def test_a_rulebook_change_reaches_new_sessions(
    farm: FakeFarm, edge: InnerEdge, treatment: str
) -> None:
    async with edge.client() as old:
        await old.greeted()
        changed = DEFAULT_DOCUMENT.replace('starttls = "tunnel"', f'starttls = "{treatment}"')
        farm.policy.put_rulebook(changed)
        await edge.until_said("rulebook in force", version=2)
        async with edge.client() as new:
            await new.reply()
            offered = (await new.command(b"EHLO me.example")).texts
            assert ("STARTTLS" in offered) is (treatment == "refuse")
            assert (await new.command(b"STARTTLS")).code == 502
        assert (await old.command(b"STARTTLS")).code == 220


async def test_a_lock_taken_back_in_time_releases_the_held_end() -> None:
    async with halted_at("verdict") as halt:
        await locked(halt)
        halt.farm.policy.remove_locks(SUBJECT)
        await halt.edge.until_greeted(220)
        halt.farm.scanner.release()
        assert (await halt.client.reply()).code == 250


async def test_a_held_scan_is_not_disturbed_by_a_lock_on_somebody_else(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    farm.scanner.plan.append(Step(hold=True))
    async with edge.client() as client:
        await client.begun()
        await client.send_octets(b"hello\r\n.\r\n")
        await eventually(lambda: farm.scanner.holding)
        farm.policy.put_locks(Lock(f"address:{ELSE}", "by hand"))
        await edge.until_greeted(554, ELSE)
        farm.scanner.release()
        assert (await client.reply()).code == 250
