"""Decisions, progress of sessions and outcomes on the wire; an unknown SPF result is none."""

from typing import Final

from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.locks import (
    lock_from_wire,
    lock_to_wire,
    penalty_from_wire,
    penalty_to_wire,
)
from smtpgated_contracts.marshalling.mail import (
    envelope_from_wire,
    envelope_to_wire,
    identity_from_wire,
    session_from_wire,
    session_to_wire,
)
from smtpgated_contracts.marshalling.scan import verdict_from_wire, verdict_to_wire
from smtpgated_contracts.values.policy import (
    Decision,
    DecisionKind,
    Disposition,
    SessionProgress,
    SpfResult,
    TransactionOutcome,
)

MAX_REPLY: Final = 400
"""Characters; of the 512 octets of a reply line code, status and CRLF need their part."""

_DECISION_TO_WIRE: Final = {
    DecisionKind.ADMIT: policy_pb2.DECISION_KIND_ADMIT,
    DecisionKind.DEFER: policy_pb2.DECISION_KIND_DEFER,
    DecisionKind.REFUSE: policy_pb2.DECISION_KIND_REFUSE,
}
_DECISION_FROM_WIRE: Final[dict[int, DecisionKind]] = {
    wire: value for value, wire in _DECISION_TO_WIRE.items()
}

_SPF_TO_WIRE: Final = {
    SpfResult.NONE: policy_pb2.SPF_RESULT_NONE,
    SpfResult.NEUTRAL: policy_pb2.SPF_RESULT_NEUTRAL,
    SpfResult.PASS: policy_pb2.SPF_RESULT_PASS,
    SpfResult.FAIL: policy_pb2.SPF_RESULT_FAIL,
    SpfResult.SOFTFAIL: policy_pb2.SPF_RESULT_SOFTFAIL,
    SpfResult.TEMPERROR: policy_pb2.SPF_RESULT_TEMPERROR,
    SpfResult.PERMERROR: policy_pb2.SPF_RESULT_PERMERROR,
}
_SPF_FROM_WIRE: Final[dict[int, SpfResult]] = {wire: value for value, wire in _SPF_TO_WIRE.items()}

_DISPOSITION_TO_WIRE: Final = {
    Disposition.RELEASE: policy_pb2.DISPOSITION_RELEASE,
    Disposition.REFUSE: policy_pb2.DISPOSITION_REFUSE,
    Disposition.DEFER: policy_pb2.DISPOSITION_DEFER,
    Disposition.ABANDONED: policy_pb2.DISPOSITION_ABANDONED,
}
_DISPOSITION_FROM_WIRE: Final = {wire: value for value, wire in _DISPOSITION_TO_WIRE.items()}


def spf_to_wire(result: SpfResult | None) -> policy_pb2.SpfResult.ValueType:
    return policy_pb2.SPF_RESULT_UNSPECIFIED if result is None else _SPF_TO_WIRE[result]


def spf_from_wire(wire: int) -> SpfResult | None:
    """None for what is not said or not known here: rules on it do not hold then."""
    return _SPF_FROM_WIRE.get(wire)


def answer_to_wire(question_id: int, decision: Decision) -> policy_pb2.Answer:
    return policy_pb2.Answer(
        question_id=question_id,
        decision=_DECISION_TO_WIRE[decision.kind],
        cause=decision.cause,
        identity=decision.identity,
        reply=decision.reply,
        spf=spf_to_wire(decision.spf),
        listed_in=decision.listed_in,
        recipients_left=decision.recipients_left,
        shadows=decision.shadows,
        decision_id=decision.decision_id,
    )


def decision_from_wire(wire: policy_pb2.Answer) -> Decision:
    kind = _DECISION_FROM_WIRE.get(wire.decision)
    if kind is None:
        raise MalformedMessage(f"decision: {wire.decision} is not known here")
    return Decision(
        kind,
        wire.cause,
        identity_from_wire(wire.identity),
        reply_from_wire(wire.reply),
        spf_from_wire(wire.spf),
        tuple(wire.listed_in),
        wire.recipients_left if wire.HasField("recipients_left") else None,
        tuple(wire.shadows),
        wire.decision_id,
    )


def reply_from_wire(reply: str) -> str:
    """Raises MalformedMessage for what is no one line of a reply (RFC 5321 §4.5.3.1.5)."""
    if len(reply) > MAX_REPLY or not reply.isascii() or not reply.isprintable():
        raise MalformedMessage(
            f"reply: {reply[:40]!r} should be at most {MAX_REPLY} printable ASCII characters"
        )
    return reply


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
        penalties=[penalty_to_wire(each) for each in outcome.penalties],
        spent=outcome.spent,
        profiles=outcome.profiles,
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
        tuple(penalty_from_wire(each) for each in wire.penalties),
        wire.spent,
        tuple(wire.profiles),
    )
