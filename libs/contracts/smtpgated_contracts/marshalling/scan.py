"""Verdicts and findings on the wire, and the parts of a scan."""

from math import isfinite
from typing import Final

from smtpgated.scan.v1 import scan_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.mail import session_to_wire
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.scan import EngineClass, Finding, Missing, Verdict, VerdictKind

_CLASS_TO_WIRE: Final = {
    EngineClass.VIRUS: scan_pb2.ENGINE_CLASS_VIRUS,
    EngineClass.SPAM: scan_pb2.ENGINE_CLASS_SPAM,
}
_CLASS_FROM_WIRE: Final[dict[int, EngineClass]] = {
    wire: value for value, wire in _CLASS_TO_WIRE.items()
}

_KIND_TO_WIRE: Final = {
    VerdictKind.CLEAN: scan_pb2.VERDICT_KIND_CLEAN,
    VerdictKind.SUSPECT: scan_pb2.VERDICT_KIND_SUSPECT,
    VerdictKind.INFECTED: scan_pb2.VERDICT_KIND_INFECTED,
    VerdictKind.UNSCANNED: scan_pb2.VERDICT_KIND_UNSCANNED,
}
_KIND_FROM_WIRE: Final[dict[int, VerdictKind]] = {
    wire: value for value, wire in _KIND_TO_WIRE.items()
}


def engine_class_from_wire(wire: int) -> EngineClass:
    try:
        return _CLASS_FROM_WIRE[wire]
    except KeyError:
        raise MalformedMessage(f"engine_class: {wire} is not known here") from None


def kind_to_wire(kind: VerdictKind) -> scan_pb2.VerdictKind.ValueType:
    return _KIND_TO_WIRE[kind]


def kind_from_wire(wire: int) -> VerdictKind:
    try:
        return _KIND_FROM_WIRE[wire]
    except KeyError:
        raise MalformedMessage(f"kind: {wire} is not known here") from None


def opening_to_wire(
    session: SessionRef, transaction: int, skip: frozenset[EngineClass], profile: str
) -> scan_pb2.ScanOpening:
    return scan_pb2.ScanOpening(
        session=session_to_wire(session),
        transaction=transaction,
        skip=[_CLASS_TO_WIRE[each] for each in sorted(skip)],
        profile=profile,
    )


def verdict_to_wire(verdict: Verdict) -> scan_pb2.Verdict:
    return scan_pb2.Verdict(
        kind=kind_to_wire(verdict.kind),
        findings=[_finding_to_wire(finding) for finding in verdict.findings],
        missing=[_missing_to_wire(each) for each in verdict.missing],
        spent_ms=verdict.spent_ms,
    )


def verdict_from_wire(wire: scan_pb2.Verdict) -> Verdict:
    """Raises MalformedMessage for an unspecified kind or class: never a verdict by default."""
    return Verdict(
        kind_from_wire(wire.kind),
        tuple(_finding_from_wire(each) for each in wire.findings),
        tuple(_missing_from_wire(each) for each in wire.missing),
        wire.spent_ms,
    )


def _missing_to_wire(missing: Missing) -> scan_pb2.MissingClass:
    return scan_pb2.MissingClass(
        engine_class=_CLASS_TO_WIRE[missing.engine_class], reason=missing.reason
    )


def _missing_from_wire(wire: scan_pb2.MissingClass) -> Missing:
    return Missing(engine_class_from_wire(wire.engine_class), wire.reason)


def _finding_to_wire(finding: Finding) -> scan_pb2.Finding:
    return scan_pb2.Finding(
        engine=finding.engine,
        engine_class=_CLASS_TO_WIRE[finding.engine_class],
        kind=_KIND_TO_WIRE[finding.kind],
        name=finding.name,
        score=finding.score,
        spent_ms=finding.spent_ms,
        version=finding.version,
        cached=finding.cached,
    )


def _finding_from_wire(wire: scan_pb2.Finding) -> Finding:
    if not isfinite(wire.score):
        # No comparison with a threshold holds for NaN: every rule would pass it by.
        raise MalformedMessage(f"score: {wire.score} is no number that others compare with")
    return Finding(
        wire.engine,
        engine_class_from_wire(wire.engine_class),
        kind_from_wire(wire.kind),
        wire.name,
        wire.score,
        wire.spent_ms,
        wire.version,
        wire.cached,
    )
