import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpgated.scan.v1 import scan_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.mail import session_from_wire
from smtpgated_contracts.marshalling.scan import (
    engine_class_from_wire,
    opening_to_wire,
    verdict_from_wire,
    verdict_to_wire,
)
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.scan import EngineClass, Verdict, VerdictKind
from tests.unit.contracts.strategies import sessions, texts, uint32, verdicts


@given(verdicts)
def test_a_verdict_comes_back(verdict: Verdict) -> None:
    octets = verdict_to_wire(verdict).SerializeToString()
    assert verdict_from_wire(scan_pb2.Verdict.FromString(octets)) == verdict


@given(sessions, uint32, st.frozensets(st.sampled_from(EngineClass)), texts)
def test_an_opening_says_everything_it_was_told(
    session: SessionRef, transaction: int, skip: frozenset[EngineClass], profile: str
) -> None:
    octets = opening_to_wire(session, transaction, skip, profile).SerializeToString()
    wire = scan_pb2.ScanOpening.FromString(octets)
    assert session_from_wire(wire.session) == session
    assert (wire.transaction, wire.profile) == (transaction, profile)
    assert frozenset(map(engine_class_from_wire, wire.skip)) == skip


@pytest.mark.parametrize("kind", VerdictKind)
def test_every_kind_of_verdict_has_a_number_of_its_own(kind: VerdictKind) -> None:
    assert verdict_from_wire(verdict_to_wire(Verdict(kind))).kind is kind


def test_a_verdict_that_says_nothing_is_never_taken_for_clean() -> None:
    with pytest.raises(MalformedMessage, match="kind"):
        verdict_from_wire(scan_pb2.Verdict())


@pytest.mark.parametrize("number", [0, 5, 99, -1])
def test_a_kind_we_do_not_know_is_malformed(number: int) -> None:
    wire = scan_pb2.Verdict.FromString(b"\x08" + _varint(number))
    with pytest.raises(MalformedMessage, match="kind"):
        verdict_from_wire(wire)


@pytest.mark.parametrize("number", [0, 3, 99])
def test_a_class_we_do_not_know_is_malformed(number: int) -> None:
    clean = scan_pb2.VERDICT_KIND_CLEAN
    finding = scan_pb2.Finding.FromString(b"\x10" + _varint(number))
    finding.kind = clean
    missing = scan_pb2.MissingClass.FromString(b"\x08" + _varint(number))
    for wire in (
        scan_pb2.Verdict(kind=clean, findings=[finding]),
        scan_pb2.Verdict(kind=clean, missing=[missing]),
    ):
        with pytest.raises(MalformedMessage, match="engine_class"):
            verdict_from_wire(wire)


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_malformed(score: float) -> None:
    finding = scan_pb2.Finding(
        engine_class=scan_pb2.ENGINE_CLASS_SPAM, kind=scan_pb2.VERDICT_KIND_CLEAN, score=score
    )
    with pytest.raises(MalformedMessage, match="score"):
        verdict_from_wire(scan_pb2.Verdict(kind=scan_pb2.VERDICT_KIND_CLEAN, findings=[finding]))


def test_a_finding_without_a_kind_is_malformed() -> None:
    finding = scan_pb2.Finding(engine="e", engine_class=scan_pb2.ENGINE_CLASS_VIRUS)
    with pytest.raises(MalformedMessage, match="kind"):
        verdict_from_wire(scan_pb2.Verdict(kind=scan_pb2.VERDICT_KIND_CLEAN, findings=[finding]))


def _varint(number: int) -> bytes:
    """A number as protobuf writes it; negative ones as 64 bits (a newer peer's enum value)."""
    number %= 2**64
    octets = bytearray()
    while number >= 0x80:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number])
