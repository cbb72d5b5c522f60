"""Questions on the wire."""

from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.mail import (
    envelope_from_wire,
    envelope_to_wire,
    session_from_wire,
    session_to_wire,
)
from smtpgated_contracts.values.asked import DataAsked, MailAsked, SessionAsked


def session_asked_to_wire(asked: SessionAsked) -> policy_pb2.OpenSession:
    return policy_pb2.OpenSession(session=session_to_wire(asked.session), profiles=asked.profiles)


def session_asked_from_wire(wire: policy_pb2.OpenSession) -> SessionAsked:
    return SessionAsked(session_from_wire(wire.session), tuple(wire.profiles))


def mail_asked_to_wire(asked: MailAsked) -> policy_pb2.AskMail:
    return policy_pb2.AskMail(
        session=session_to_wire(asked.session),
        transaction=asked.transaction,
        envelope=envelope_to_wire(asked.envelope),
        profiles=asked.profiles,
        wants_spf=asked.wants_spf,
        egress_address=asked.egress_address,
        declared_octets=asked.declared_octets,
    )


def mail_asked_from_wire(wire: policy_pb2.AskMail) -> MailAsked:
    return MailAsked(
        session_from_wire(wire.session),
        wire.transaction,
        envelope_from_wire(wire.envelope),
        tuple(wire.profiles),
        wire.wants_spf,
        wire.egress_address,
        wire.declared_octets,
    )


def data_asked_to_wire(asked: DataAsked) -> policy_pb2.AskData:
    return policy_pb2.AskData(
        session=session_to_wire(asked.session),
        transaction=asked.transaction,
        envelope=envelope_to_wire(asked.envelope),
        profiles=asked.profiles,
        declared_octets=asked.declared_octets,
    )


def data_asked_from_wire(wire: policy_pb2.AskData) -> DataAsked:
    return DataAsked(
        session_from_wire(wire.session),
        wire.transaction,
        envelope_from_wire(wire.envelope),
        tuple(wire.profiles),
        wire.declared_octets,
    )
