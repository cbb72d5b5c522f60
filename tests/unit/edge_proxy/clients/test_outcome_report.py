"""Outcomes in batches: kept while policy is away, bounded and counted, locks at once."""

from collections.abc import AsyncIterator

import grpc
import pytest

from edge_proxy.clients import outcome_report
from edge_proxy.clients.kept import Kept
from edge_proxy.clients.outcome_report import BATCH, KEPT_OCTETS, KEPT_RULINGS, OutcomeReport
from service_kit.grpc_channels import open_channel
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import EdgeId
from smtpgated_contracts.values.policy import AskedLock, AskedPenalty, Lock, Penalty
from smtpgated_contracts.values.reported import Rejections, RulingReport
from tests.support.eventually import eventually, turns
from tests.support.fake_policy import FakePolicy
from tests.support.samples import outcome, session_ref

LOCK = Lock("address:192.0.2.1", "infected")
FOR_EVER_S = 3600.0


@pytest.fixture
async def report(policy: FakePolicy) -> AsyncIterator[OutcomeReport]:
    channel = open_channel(policy.target, None)
    yield OutcomeReport(channel, EdgeId("edge"))
    await channel.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves because of time."""
    monkeypatch.setattr(outcome_report, "GATHER_S", FOR_EVER_S)


async def test_outcomes_travel_together(report: OutcomeReport, policy: FakePolicy) -> None:
    sent = [outcome() for _ in range(10)]
    for each in sent:
        report.report(each)
    assert await report.flush()
    assert policy.outcome_batches == [10]
    assert policy.outcomes == sent


async def test_an_outcome_alone_is_reported_too(
    report: OutcomeReport, policy: FakePolicy, tasks: Tasks
) -> None:
    tasks.spawn(report.run(), name="report")
    report.report(outcome())
    await eventually(lambda: policy.outcomes)


@pytest.mark.usefixtures("patient")
async def test_an_outcome_with_a_lock_does_not_wait_for_company(
    report: OutcomeReport, policy: FakePolicy, tasks: Tasks
) -> None:
    tasks.spawn(report.run(), name="report")
    report.report(outcome())
    await turns()
    assert not policy.outcomes
    report.report(outcome(LOCK))
    await eventually(lambda: policy.outcome_batches == [2])
    assert policy.outcomes[1].locks == (LOCK,)


@pytest.mark.usefixtures("patient")
async def test_a_lock_that_a_rule_asks_for_does_not_wait_for_company(
    report: OutcomeReport, policy: FakePolicy, tasks: Tasks
) -> None:
    tasks.spawn(report.run(), name="report")
    asked = AskedLock(session_ref(), LOCK)
    report.report(asked)
    await eventually(lambda: policy.asked_locks == [asked])


@pytest.mark.usefixtures("patient")
async def test_a_full_batch_does_not_wait(
    report: OutcomeReport, policy: FakePolicy, tasks: Tasks
) -> None:
    tasks.spawn(report.run(), name="report")
    for _ in range(BATCH):
        report.report(outcome())
    await eventually(lambda: policy.outcome_batches == [BATCH])


async def test_outcomes_are_kept_in_order_while_policy_is_away(
    report: OutcomeReport, policy: FakePolicy, tasks: Tasks
) -> None:
    await policy.stop()
    sent = [outcome() for _ in range(3)]
    for each in sent[:2]:
        report.report(each)
    assert not await report.flush()
    report.report(sent[2])
    await policy.start()
    tasks.spawn(report.run(), name="report")
    await eventually(lambda: len(policy.outcomes) == 3)
    assert policy.outcomes == sent
    assert policy.dropped == 0


async def test_the_oldest_are_dropped_beyond_the_bound_and_the_loss_is_told(
    report: OutcomeReport, policy: FakePolicy
) -> None:
    report._outcomes = Kept(5, KEPT_OCTETS, lambda _outcome: 1)
    sent = [outcome() for _ in range(8)]
    for each in sent:
        report.report(each)
    policy.report_fails = grpc.StatusCode.UNAVAILABLE
    assert not await report.flush()
    policy.report_fails = None
    assert await report.flush()
    assert policy.outcomes == sent[3:]
    assert policy.dropped == 3


async def test_a_batch_that_policy_will_never_take_is_dropped_and_told(
    report: OutcomeReport, policy: FakePolicy
) -> None:
    policy.report_fails = grpc.StatusCode.INVALID_ARGUMENT
    report.report(outcome())
    assert await report.flush()
    policy.report_fails = None
    report.report(outcome())
    assert await report.flush()
    assert (len(policy.outcomes), policy.dropped) == (1, 1)


async def test_envelopes_of_a_thousand_recipients_make_smaller_batches(
    report: OutcomeReport, policy: FakePolicy
) -> None:
    """All in one they would be more than a message may have, refused again and again."""
    many = tuple(b"%04d@far.example" % each + b"x" * 1500 for each in range(1000))
    for _ in range(10):
        report.report(outcome(recipients=many))
    assert await report.flush()
    assert len(policy.outcomes) == 10
    assert max(policy.outcome_batches) == 1


async def test_flush_waits_for_a_batch_that_is_on_its_way(
    report: OutcomeReport, policy: FakePolicy, tasks: Tasks
) -> None:
    policy.report_held = True
    tasks.spawn(report.run(), name="report")
    report.report(outcome())
    await eventually(lambda: policy.reports_begun)
    flushing = tasks.spawn(report.flush(), name="flush")
    await turns(50)
    assert not flushing.done()
    policy.release()
    assert await flushing
    assert len(policy.outcomes) == 1


async def test_what_rules_said_and_servers_refused_travels_too(
    report: OutcomeReport, policy: FakePolicy
) -> None:
    session = session_ref()
    penalty = AskedPenalty(session, Penalty("address:192.0.2.1", 5.0, "suspect"))
    rejected = Rejections(session, rcpt=3)
    ruling = RulingReport(session, 1, "mail", "refuse", "no-mail")
    for each in (penalty, rejected, ruling):
        report.report(each)
    assert await report.flush()
    assert policy.asked_penalties == [penalty]
    assert policy.rejections == [rejected]
    assert policy.rulings == [ruling]


async def test_rulings_never_displace_an_outcome(report: OutcomeReport, policy: FakePolicy) -> None:
    report.report(outcome())
    for _ in range(KEPT_RULINGS + 1):
        report.report(RulingReport(session_ref(), 1, "mail", noted=("noted",)))
    assert await report.flush()
    assert (len(policy.outcomes), len(policy.rulings)) == (1, KEPT_RULINGS)
    assert policy.dropped == 0, "outcomes alone are told as dropped"
