"""Who a source is, where policy knows it: in the log, in reports, in locks, in exemptions."""

import pytest

from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import Decision, DecisionKind, Lock
from tests.support.edge import InnerEdge, inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm
from tests.support.fake_policy import silent
from tests.support.fake_scanner import INFECTED_WORD
from tests.support.mail_client import ENVELOPE

JOE, ANN = "127.0.0.17", "127.0.0.18"
WHO = {JOE: "joe", ANN: "ann"}
BY_IDENTITY = Lock("identity:joe", "by hand")


def knowing(session: SessionRef) -> Decision:
    """A policy that knows who comes from where."""
    return Decision(DecisionKind.ADMIT, identity=WHO.get(session.source.address, ""))


@pytest.fixture(autouse=True)
def policy_knows(farm: FakeFarm) -> None:
    farm.policy.decide = knowing


async def test_the_identity_is_in_log_reports_and_renewals(farm: FakeFarm, edge: InnerEdge) -> None:
    async with edge.client(JOE) as client:
        await client.greeted()
        assert (await client.deliver(b"hello\r\n")).code == 250
        await farm.policy.stop()
        await farm.policy.start()
        await eventually(lambda: farm.policy.renewed)
    await edge.until_said("transaction", identity="joe")
    await edge.until_said("session", identity="joe")
    await eventually(lambda: farm.policy.outcomes)
    assert farm.policy.outcomes[0].session.identity == "joe"
    assert {each.session.identity for each in farm.policy.renewed} == {"joe"}
    assert [each.opening.session.identity for each in farm.scanner.scans] == ["joe"]


async def test_a_lock_on_the_identity_reaches_the_running_session(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    async with edge.client(JOE) as joe, edge.client(ANN) as ann:
        await joe.greeted()
        await ann.greeted()
        farm.policy.put_locks(BY_IDENTITY)
        await edge.until_greeted(554, JOE)
        assert (await joe.command(ENVELOPE[0])).code == 550
        assert (await ann.command(ENVELOPE[0])).code == 250


async def test_a_lock_on_the_identity_holds_though_policy_has_not_heard_of_it(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    farm.policy.put_locks(BY_IDENTITY)
    await edge.until_greeted(554, JOE)
    assert (await edge.greeting(ANN)).code == 220
    await edge.until_said("session", closed_by="policy", detail="lock:by hand", identity="joe")


async def test_an_exempt_identity_is_admitted_from_a_locked_address(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    farm.policy.put_exemptions("identity:joe")
    farm.policy.put_locks(*(Lock(f"address:{each}", "by hand") for each in WHO))
    await edge.until_greeted(554, ANN)
    assert (await edge.greeting(JOE)).code == 220


async def test_a_lock_pushed_before_policy_named_the_exempt_source_does_not_stick(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    farm.policy.put_exemptions("identity:joe")
    farm.policy.reading.clear()
    async with edge.client(JOE) as client:
        await eventually(lambda: farm.far.sessions)
        farm.policy.put_locks(Lock(f"address:{JOE}", "by hand"))
        farm.policy.put_rulebook(farm.policy.rulebook or "")
        await edge.until_said("rulebook in force", version=2)
        farm.policy.reading.set()
        await client.greeted()
        assert (await client.deliver(b"hello\r\n")).code == 250


async def test_where_only_policy_could_tell_an_exemption_the_lock_holds_without_policy(
    farm: FakeFarm,
) -> None:
    farm.policy.exempt = {"identity:joe"}
    farm.policy.locks = {f"address:{JOE}": Lock(f"address:{JOE}", "by hand")}
    farm.policy.decide = silent
    async with inner_edge(farm, {"policy": {"patience_ms": 50}}) as edge:
        assert (await edge.greeting(JOE)).code == 554
        assert (await edge.greeting(ANN)).code == 220


async def test_a_rule_locks_who_sent_the_virus_and_not_whoever_has_the_address_next(
    farm: FakeFarm, edge: InnerEdge
) -> None:
    async with edge.client(JOE) as client:
        await client.greeted()
        assert (await client.deliver(INFECTED_WORD + b"\r\n")).code == 550
    await eventually(lambda: farm.policy.outcomes)
    assert [each.subject for each in farm.policy.outcomes[0].locks] == ["identity:joe"]


async def test_rules_know_the_identity_that_policy_said(farm: FakeFarm, edge: InnerEdge) -> None:
    rule = (
        '\n[[rules]]\nid = "joe"\nphase = "mail"\nwhen = { identity = "joe" }\naction = "refuse"\n'
    )
    farm.policy.put_rulebook(f"{farm.policy.rulebook}{rule}")
    await edge.until_said("rulebook in force", version=2)
    async with edge.client(JOE) as joe, edge.client(ANN) as ann:
        await joe.greeted()
        await ann.greeted()
        assert (await joe.command(ENVELOPE[0])).code == 550
        assert (await ann.command(ENVELOPE[0])).code == 250
