"""What policy pushes, as the edge keeps it: locks by subject with their expiry, one rulebook."""

import threading
from collections.abc import Iterable

import pytest

from edge_proxy.clients.farm_state import FarmState, RulebookWatch
from edge_proxy.lock_list import LockList
from edge_proxy.ports import Hold
from rulebook.defaults import DEFAULT_DOCUMENT
from rulebook.document import parse
from rulebook.values import Rulebook
from service_kit.clock import ManualClock
from service_kit.grpc_channels import open_channel
from service_kit.health import Readiness
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import EdgeId
from smtpgated_contracts.values.policy import Lock, Stage
from tests.support.eventually import eventually
from tests.support.fake_policy import FakePolicy
from tests.support.samples import session_ref

ONE, TWO, THREE = (f"address:192.0.2.{each}" for each in (1, 2, 3))


class Changes:
    def __init__(self) -> None:
        self.told: list[set[str]] = []

    def __call__(self, subjects: Iterable[str]) -> None:
        self.told.append(set(subjects))


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def state(clock: ManualClock, changes: Changes) -> FarmState:
    return FarmState(clock, changes)


def test_a_lock_holds_its_source_and_nobody_else(state: FarmState) -> None:
    state.change_locks([Lock(ONE, "x")], [])
    lock = Lock(ONE, "x")
    assert state.hold_on(session_ref("192.0.2.1")) == Hold(lock, Stage.REFUSE, 0)
    assert state.hold_on(session_ref("192.0.2.2")) is None


def test_a_lock_on_an_identity_holds_it_wherever_it_comes_from(state: FarmState) -> None:
    lock = Lock("identity:subscriber-17", "x")
    state.change_locks([lock], [])
    known = session_ref("192.0.2.9", "subscriber-17")
    assert state.hold_on(known) == Hold(lock, Stage.REFUSE, 0)
    assert state.hold_on(session_ref("192.0.2.9")) is None


def test_a_lock_lets_go_when_it_expires(state: FarmState, clock: ManualClock) -> None:
    state.change_locks([Lock(ONE, "x", expires_at_ms=clock.unix_ms() + 1000)], [])
    clock.advance(0.9)
    assert state.hold_on(session_ref()) is not None
    clock.advance(0.1)
    assert state.hold_on(session_ref()) is None


def test_a_snapshot_tells_whose_lock_came_and_whose_went(
    state: FarmState, changes: Changes
) -> None:
    state.replace_locks(LockList([Lock(ONE, "x"), Lock(TWO, "x")]))
    state.replace_locks(LockList([Lock(TWO, "x"), Lock(THREE, "x")]))
    assert changes.told == [{ONE, TWO}, {ONE, THREE}]
    assert state.hold_on(session_ref("192.0.2.1")) is None
    assert state.hold_on(session_ref("192.0.2.3")) is not None


def test_changes_tell_whom_they_touch(state: FarmState, changes: Changes) -> None:
    state.change_locks([Lock(ONE, "x")], [])
    state.change_locks([Lock(TWO, "x")], [ONE, THREE])
    assert changes.told == [{ONE}, {ONE, TWO}]


def test_exemptions_that_come_or_go_tell_whom_they_touch(
    state: FarmState, changes: Changes
) -> None:
    known = session_ref("192.0.2.1", "subscriber-17")
    state.replace_locks(LockList([Lock(ONE, "x")], ["identity:subscriber-17"]))
    assert state.is_exempt(known)
    assert state.hold_on(known) is None
    state.change_locks([], [], unexempted=["identity:subscriber-17"])
    assert state.hold_on(known) is not None
    state.change_locks([], [], exempted=["prefix:192.0.2.0/24"])
    assert state.hold_on(known) is None
    state.replace_locks(LockList([Lock(ONE, "x")]))
    assert changes.told == [
        {ONE, "identity:subscriber-17"},
        {"identity:subscriber-17"},
        {"prefix:192.0.2.0/24"},
        {"prefix:192.0.2.0/24"},
    ]


def test_whom_the_rulebook_exempts_no_lock_touches(state: FarmState, changes: Changes) -> None:
    state.change_locks([Lock("address:127.0.0.1", "x")], [])
    loopback = session_ref("127.0.0.1")
    assert state.hold_on(loopback) is not None
    state.replace_rulebook(1, parse(DEFAULT_DOCUMENT))
    assert state.hold_on(loopback) is None
    assert state.is_exempt(loopback)
    state.replace_rulebook(2, parse("schema = 1"))
    assert state.hold_on(loopback) is not None
    assert changes.told == [{"address:127.0.0.1"}] * 3


async def test_a_watch_makes_ready_with_the_first_rulebook_and_survives_breaks(
    state: FarmState, policy: FakePolicy, tasks: Tasks
) -> None:
    channel, readiness = open_channel(policy.target, None), Readiness("rulebook")
    policy.rulebook = None
    policy.locks = {ONE: Lock(ONE, "x")}
    tasks.spawn(RulebookWatch(channel, EdgeId("edge"), state, readiness).run(), name="watch")
    await eventually(lambda: state.hold_on(session_ref()))
    assert not readiness.ready
    policy.put_rulebook(DEFAULT_DOCUMENT)
    await eventually(lambda: readiness.ready)
    assert state.rulebook is not None

    await policy.stop()
    policy.locks = {}
    policy.version = 7
    await policy.start()
    await eventually(lambda: state.rulebook_version == 7)
    await eventually(lambda: state.hold_on(session_ref()) is None)
    assert readiness.ready
    await tasks.aclose()
    await channel.close()


async def test_mail_goes_on_while_a_rulebook_is_read(
    state: FarmState, policy: FakePolicy, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[int] = []

    def read(document: str) -> Rulebook:
        readers.append(threading.get_ident())
        return parse(document)

    monkeypatch.setattr("edge_proxy.clients.farm_state.parse", read)
    channel = open_channel(policy.target, None)
    watch = RulebookWatch(channel, EdgeId("edge"), state, Readiness("rulebook"))
    tasks.spawn(watch.run(), name="watch")
    await eventually(lambda: state.rulebook is not None)
    assert threading.get_ident() not in readers
    await tasks.aclose()
    await channel.close()
