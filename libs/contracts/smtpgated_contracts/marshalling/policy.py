"""Decisions, locks and outcomes on the wire."""

from typing import Final

from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.mail import (
    envelope_from_wire,
    envelope_to_wire,
    identity_from_wire,
    session_from_wire,
    session_to_wire,
)
from smtpgated_contracts.marshalling.scan import verdict_from_wire, verdict_to_wire
from smtpgated_contracts.values.policy import (
    AskedLock,
    Decision,
    DecisionKind,
    Disposition,
    Lock,
    SessionProgress,
    TransactionOutcome,
)

_DECISION_TO_WIRE: Final = {
    DecisionKind.ADMIT: policy_pb2.DECISION_KIND_ADMIT,
    DecisionKind.DEFER: policy_pb2.DECISION_KIND_DEFER,
    DecisionKind.REFUSE: policy_pb2.DECISION_KIND_REFUSE,
}
_DECISION_FROM_WIRE: Final[dict[int, DecisionKind]] = {
    wire: value for value, wire in _DECISION_TO_WIRE.items()
}

_DISPOSITION_TO_WIRE: Final = {
    Disposition.RELEASE: policy_pb2.DISPOSITION_RELEASE,
    Disposition.REFUSE: policy_pb2.DISPOSITION_REFUSE,
    Disposition.DEFER: policy_pb2.DISPOSITION_DEFER,
    Disposition.ABANDONED: policy_pb2.DISPOSITION_ABANDONED,
}
_DISPOSITION_FROM_WIRE: Final = {wire: value for value, wire in _DISPOSITION_TO_WIRE.items()}


def answer_to_wire(question_id: int, decision: Decision) -> policy_pb2.Answer:
    return policy_pb2.Answer(
        question_id=question_id,
        decision=_DECISION_TO_WIRE[decision.kind],
        cause=decision.cause,
        identity=decision.identity,
    )


def decision_from_wire(wire: policy_pb2.Answer) -> Decision:
    kind = _DECISION_FROM_WIRE.get(wire.decision)
    if kind is None:
        raise MalformedMessage(f"decision: {wire.decision} is not known here")
    return Decision(kind, wire.cause, identity_from_wire(wire.identity))


def lock_to_wire(lock: Lock) -> policy_pb2.Lock:
    return policy_pb2.Lock(
        subject=lock.subject,
        cause=lock.cause,
        expires_at_ms=lock.expires_at_ms,
        created_at_ms=lock.created_at_ms,
        author=lock.author,
        reason=lock.reason,
    )


def lock_from_wire(wire: policy_pb2.Lock) -> Lock:
    if not wire.subject:
        raise MalformedMessage("subject: empty")
    return Lock(
        wire.subject, wire.cause, wire.expires_at_ms, wire.created_at_ms, wire.author, wire.reason
    )


def asked_lock_to_wire(asked: AskedLock) -> policy_pb2.AskedLock:
    return policy_pb2.AskedLock(
        session=session_to_wire(asked.session), lock=lock_to_wire(asked.lock)
    )


def asked_lock_from_wire(wire: policy_pb2.AskedLock) -> AskedLock:
    return AskedLock(session_from_wire(wire.session), lock_from_wire(wire.lock))


def progress_to_wire(progress: SessionProgress) -> policy_pb2.SessionProgress:
    return policy_pb2.SessionProgress(
        session=session_to_wire(progress.session),
        phase=progress.phase,
        transactions=progress.transactions,
        opened_at_ms=progress.opened_at_ms,
        octets_up=progress.octets_up,
        octets_down=progress.octets_down,
        estimated_messages=progress.estimated_messages,
    )


def progress_from_wire(wire: policy_pb2.SessionProgress) -> SessionProgress:
    return SessionProgress(
        session=session_from_wire(wire.session),
        phase=wire.phase,
        transactions=wire.transactions,
        opened_at_ms=wire.opened_at_ms,
        octets_up=wire.octets_up,
        octets_down=wire.octets_down,
        estimated_messages=wire.estimated_messages,
    )


def outcome_to_wire(outcome: TransactionOutcome) -> policy_pb2.TransactionOutcome:
    return policy_pb2.TransactionOutcome(
        session=session_to_wire(outcome.session),
        transaction=outcome.transaction,
        envelope=envelope_to_wire(outcome.envelope),
        verdict=None if outcome.verdict is None else verdict_to_wire(outcome.verdict),
        disposition=_DISPOSITION_TO_WIRE[outcome.disposition],
        reply_code=outcome.reply_code,
        content_octets=outcome.content_octets,
        rule_id=outcome.rule_id,
        rulebook_version=outcome.rulebook_version,
        ended_at_ms=outcome.ended_at_ms,
        locks=[lock_to_wire(lock) for lock in outcome.locks],
    )


def outcome_from_wire(wire: policy_pb2.TransactionOutcome) -> TransactionOutcome:
    if wire.disposition not in _DISPOSITION_FROM_WIRE:
        raise MalformedMessage(f"disposition: {wire.disposition} is not known here")
    return TransactionOutcome(
        session_from_wire(wire.session),
        wire.transaction,
        envelope_from_wire(wire.envelope),
        verdict_from_wire(wire.verdict) if wire.HasField("verdict") else None,
        _DISPOSITION_FROM_WIRE[wire.disposition],
        wire.reply_code,
        wire.content_octets,
        wire.rule_id,
        wire.rulebook_version,
        wire.ended_at_ms,
        tuple(lock_from_wire(lock) for lock in wire.locks),
    )
