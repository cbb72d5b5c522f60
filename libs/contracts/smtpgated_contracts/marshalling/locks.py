"""Locks and penalties on the wire."""

from math import isfinite
from typing import Final

from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.mail import session_from_wire, session_to_wire
from smtpgated_contracts.values.policy import (
    AskedLock,
    AskedPenalty,
    Lock,
    Penalty,
    Stage,
    StageUntil,
)

_STAGE_TO_WIRE: Final = {
    Stage.WATCH: policy_pb2.STAGE_WATCH,
    Stage.THROTTLE: policy_pb2.STAGE_THROTTLE,
    Stage.REQUIRE_AUTH: policy_pb2.STAGE_REQUIRE_AUTH,
    Stage.REFUSE: policy_pb2.STAGE_REFUSE,
}
_STAGE_FROM_WIRE: Final[dict[int, Stage]] = {wire: value for value, wire in _STAGE_TO_WIRE.items()}


def lock_to_wire(lock: Lock) -> policy_pb2.Lock:
    return policy_pb2.Lock(
        subject=lock.subject,
        cause=lock.cause,
        expires_at_ms=lock.expires_at_ms,
        created_at_ms=lock.created_at_ms,
        author=lock.author,
        reason=lock.reason,
        stages=[_stage_to_wire(each) for each in lock.stages],
    )


def lock_from_wire(wire: policy_pb2.Lock) -> Lock:
    if not wire.subject:
        raise MalformedMessage("subject: empty")
    return Lock(
        wire.subject,
        wire.cause,
        wire.expires_at_ms,
        wire.created_at_ms,
        wire.author,
        wire.reason,
        tuple(_stage_from_wire(each) for each in wire.stages),
    )


def penalty_to_wire(penalty: Penalty) -> policy_pb2.Penalty:
    return policy_pb2.Penalty(subject=penalty.subject, points=penalty.points, cause=penalty.cause)


def penalty_from_wire(wire: policy_pb2.Penalty) -> Penalty:
    if not wire.subject:
        raise MalformedMessage("subject: empty")
    if not isfinite(wire.points) or wire.points < 0:
        raise MalformedMessage(f"points: {wire.points} should be a number that is not negative")
    return Penalty(wire.subject, wire.points, wire.cause)


def asked_lock_to_wire(asked: AskedLock) -> policy_pb2.AskedLock:
    return policy_pb2.AskedLock(
        session=session_to_wire(asked.session), lock=lock_to_wire(asked.lock)
    )


def asked_lock_from_wire(wire: policy_pb2.AskedLock) -> AskedLock:
    return AskedLock(session_from_wire(wire.session), lock_from_wire(wire.lock))


def asked_penalty_to_wire(asked: AskedPenalty) -> policy_pb2.AskedPenalty:
    return policy_pb2.AskedPenalty(
        session=session_to_wire(asked.session), penalty=penalty_to_wire(asked.penalty)
    )


def asked_penalty_from_wire(wire: policy_pb2.AskedPenalty) -> AskedPenalty:
    return AskedPenalty(session_from_wire(wire.session), penalty_from_wire(wire.penalty))


def _stage_to_wire(stage: StageUntil) -> policy_pb2.StageUntil:
    return policy_pb2.StageUntil(stage=_STAGE_TO_WIRE[stage.stage], until_ms=stage.until_ms)


def _stage_from_wire(wire: policy_pb2.StageUntil) -> StageUntil:
    """A stage that is not known here refuses: a lock must not become milder by an upgrade."""
    return StageUntil(_STAGE_FROM_WIRE.get(wire.stage, Stage.REFUSE), wire.until_ms)
