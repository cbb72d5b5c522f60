"""Report: outcomes are kept, and the locks they ask for are put."""

import pytest

from smtpgated_contracts.values.policy import AskedLock, Disposition, Lock
from smtpgated_contracts.values.scan import VerdictKind
from tests.contract.policy.samples import outcome
from tests.integration.policy.farm import Replica

SUBJECT = "address:192.0.2.1"
HOUR_MS = 3_600_000


def asked(subject: str = SUBJECT, lasts_ms: int = HOUR_MS, begins_ms: int = 1_000) -> Lock:
    """As an edge with a clock of its own writes it."""
    return Lock(subject, "infected", begins_ms + lasts_ms if lasts_ms else 0, begins_ms)


async def test_an_infected_message_locks_its_source_for_the_duration_asked(
    replica: Replica,
) -> None:
    infected = outcome(VerdictKind.INFECTED, Disposition.REFUSE, locks=(asked(),))
    async with replica.edge() as edge:
        watching = edge.watch()
        await watching.snapshot()
        await edge.report(infected)
        await watching.until(lambda: SUBJECT in watching.locks)
    lock = watching.locks[SUBJECT]
    assert lock.expires_at_ms - lock.created_at_ms == HOUR_MS
    assert lock.created_at_ms > 1_700_000_000_000, "our clock, not the edge's"
    assert (lock.cause, lock.author) == ("infected", "edge edge-1")
    assert lock.reason == "session session-1: Test.Signature"


@pytest.mark.parametrize("subject", ["address:127.0.0.1", "address:::1"])
async def test_loopback_is_not_locked(replica: Replica, subject: str) -> None:
    source = subject.removeprefix("address:")
    async with replica.edge() as edge:
        await edge.report(outcome(VerdictKind.INFECTED, source=source, locks=(asked(subject),)))
    assert (await replica.app.store.picture()).locks == ()


async def test_a_stored_exemption_wins_over_a_lock(replica: Replica) -> None:
    async with replica.edge() as edge, replica.http() as http:
        body = {"subject": "prefix:192.0.2.0/24", "reason": "ours"}
        await http.post("/api/v1/exemptions", json=body)
        await edge.report(outcome(VerdictKind.INFECTED, locks=(asked(),)))
    assert (await replica.app.store.picture()).locks == ()


async def test_a_lock_is_lengthened_and_never_shortened(replica: Replica) -> None:
    async with replica.edge() as edge:
        await edge.report(outcome(locks=(asked(lasts_ms=2 * HOUR_MS),)))
        await edge.report(outcome(locks=(asked(lasts_ms=HOUR_MS),)))
        (lock,) = (await replica.app.store.picture()).locks
        assert lock.expires_at_ms - lock.created_at_ms == 2 * HOUR_MS
        await edge.report(outcome(locks=(asked(lasts_ms=0),)))
    (lock,) = (await replica.app.store.picture()).locks
    assert lock.expires_at_ms == 0


async def test_a_lock_asked_for_outside_of_content_is_put(replica: Replica) -> None:
    session = outcome().session
    loopback = outcome(source="127.0.0.1").session
    async with replica.edge() as edge:
        await edge.ask_locks(AskedLock(session, asked()), AskedLock(loopback, asked()))
    (lock,) = (await replica.app.store.picture()).locks
    assert (lock.subject, lock.reason) == (SUBJECT, "session session-1")


async def test_a_malformed_subject_is_left_out_and_the_rest_is_taken(replica: Replica) -> None:
    async with replica.edge() as edge:
        await edge.report(outcome(locks=(asked("nonsense"), asked())))
    assert [each.subject for each in (await replica.app.store.picture()).locks] == [SUBJECT]


async def test_a_malformed_outcome_is_left_out_and_the_rest_is_taken(replica: Replica) -> None:
    async with replica.edge() as edge:
        await edge.report(outcome(source="nowhere"), outcome())
    assert len(await replica.app.store.outcomes(10)) == 1


async def test_outcomes_are_shown_newest_first_and_counted(replica: Replica) -> None:
    async with replica.edge() as edge, replica.http() as http:
        await edge.report(outcome())
        await edge.report(outcome(VerdictKind.INFECTED, Disposition.REFUSE))
        items = (await http.get("/api/v1/outcomes")).json()["items"]
        assert [each["verdict"] for each in items] == ["infected", "clean"]
        assert items[0]["reverse_path"] == "from@example"
        status = (await http.get("/api/v1/status")).json()
    assert status["verdicts"] == {"clean": 1, "infected": 1}
    assert status["dispositions"] == {"refuse": 1, "release": 1}
    assert status["messages"] == 2
