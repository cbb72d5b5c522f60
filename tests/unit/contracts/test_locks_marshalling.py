import pytest
from hypothesis import given

from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.locks import (
    asked_lock_from_wire,
    asked_lock_to_wire,
    asked_penalty_from_wire,
    asked_penalty_to_wire,
    lock_from_wire,
    lock_to_wire,
    penalty_from_wire,
)
from smtpgated_contracts.values.policy import AskedLock, AskedPenalty, Lock, Stage, StageUntil
from tests.unit.contracts.strategies import asked_locks, asked_penalties, locks


@given(locks)
def test_a_lock_comes_back(lock: Lock) -> None:
    octets = lock_to_wire(lock).SerializeToString()
    assert lock_from_wire(policy_pb2.Lock.FromString(octets)) == lock


@given(asked_locks)
def test_an_asked_lock_comes_back(asked: AskedLock) -> None:
    octets = asked_lock_to_wire(asked).SerializeToString()
    assert asked_lock_from_wire(policy_pb2.AskedLock.FromString(octets)) == asked


@given(asked_penalties)
def test_an_asked_penalty_comes_back(asked: AskedPenalty) -> None:
    octets = asked_penalty_to_wire(asked).SerializeToString()
    assert asked_penalty_from_wire(policy_pb2.AskedPenalty.FromString(octets)) == asked


def test_a_lock_on_nobody_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="subject"):
        lock_from_wire(policy_pb2.Lock(cause="virus"))


def test_a_penalty_for_nobody_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="subject"):
        penalty_from_wire(policy_pb2.Penalty(points=1))


@pytest.mark.parametrize("points", [-1.0, float("nan"), float("inf")])
def test_points_that_cannot_be_added_are_malformed(points: float) -> None:
    with pytest.raises(MalformedMessage, match="points"):
        penalty_from_wire(policy_pb2.Penalty(subject="address:192.0.2.1", points=points))


def test_a_stage_of_a_later_version_refuses() -> None:
    wire = policy_pb2.Lock(subject="address:192.0.2.1")
    wire.stages.add(until_ms=7)
    assert lock_from_wire(wire).stages == (StageUntil(Stage.REFUSE, 7),)
