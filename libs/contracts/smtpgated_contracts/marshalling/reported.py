"""Rejections, rulings and what tunnels carried, on the wire."""

from math import isfinite

from smtpgated.policy.v1 import policy_pb2
from smtpgated.scan.v1 import scan_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.mail import (
    envelope_from_wire,
    envelope_to_wire,
    session_from_wire,
    session_to_wire,
)
from smtpgated_contracts.marshalling.policy import spf_from_wire, spf_to_wire
from smtpgated_contracts.marshalling.scan import kind_from_wire, kind_to_wire
from smtpgated_contracts.values.reported import Rejections, RulingFacts, RulingReport, Tunnelled


def rejections_to_wire(told: Rejections) -> policy_pb2.Rejections:
    return policy_pb2.Rejections(
        session=session_to_wire(told.session),
        envelope=envelope_to_wire(told.envelope),
        profiles=told.profiles,
        mail=told.mail,
        rcpt=told.rcpt,
        auth=told.auth,
    )


def rejections_from_wire(wire: policy_pb2.Rejections) -> Rejections:
    return Rejections(
        session_from_wire(wire.session),
        envelope_from_wire(wire.envelope),
        tuple(wire.profiles),
        wire.mail,
        wire.rcpt,
        wire.auth,
    )


def tunnelled_to_wire(told: Tunnelled) -> policy_pb2.Tunnelled:
    return policy_pb2.Tunnelled(
        session=session_to_wire(told.session),
        envelope=envelope_to_wire(told.envelope),
        profiles=told.profiles,
        octets=told.octets,
        messages=told.messages,
    )


def tunnelled_from_wire(wire: policy_pb2.Tunnelled) -> Tunnelled:
    return Tunnelled(
        session_from_wire(wire.session),
        envelope_from_wire(wire.envelope),
        tuple(wire.profiles),
        wire.octets,
        wire.messages,
    )


def ruling_to_wire(told: RulingReport) -> policy_pb2.RulingReport:
    return policy_pb2.RulingReport(
        session=session_to_wire(told.session),
        transaction=told.transaction,
        phase=told.phase,
        action=told.action,
        rule_id=told.rule_id,
        noted=told.noted,
        shadows=told.shadows,
        rulebook_version=told.rulebook_version,
        reply_code=told.reply_code,
        at_ms=told.at_ms,
        facts=_facts_to_wire(told.facts),
    )


def ruling_from_wire(wire: policy_pb2.RulingReport) -> RulingReport:
    return RulingReport(
        session_from_wire(wire.session),
        wire.transaction,
        wire.phase,
        wire.action,
        wire.rule_id,
        tuple(wire.noted),
        tuple(wire.shadows),
        wire.rulebook_version,
        wire.reply_code,
        wire.at_ms,
        _facts_from_wire(wire.facts),
    )


def _facts_to_wire(facts: RulingFacts) -> policy_pb2.RulingFacts:
    return policy_pb2.RulingFacts(
        envelope=envelope_to_wire(facts.envelope),
        recipient=facts.recipient,
        spf=spf_to_wire(facts.spf),
        listed_in=facts.listed_in,
        verdict=scan_pb2.VERDICT_KIND_UNSPECIFIED
        if facts.verdict is None
        else kind_to_wire(facts.verdict),
        score=facts.score,
        size_octets=facts.size_octets,
        auth_offered=facts.auth_offered,
        found=facts.found,
        load=facts.load,
    )


def _facts_from_wire(wire: policy_pb2.RulingFacts) -> RulingFacts:
    if not isfinite(wire.score):
        raise MalformedMessage(f"score: {wire.score} should be a number")
    if not isfinite(wire.load):
        raise MalformedMessage(f"load: {wire.load} should be a number")
    unsaid = wire.verdict == scan_pb2.VERDICT_KIND_UNSPECIFIED
    return RulingFacts(
        envelope_from_wire(wire.envelope),
        wire.recipient,
        spf_from_wire(wire.spf),
        tuple(wire.listed_in),
        None if unsaid else kind_from_wire(wire.verdict),
        wire.score,
        wire.size_octets,
        wire.auth_offered,
        tuple(wire.found),
        wire.load,
    )
