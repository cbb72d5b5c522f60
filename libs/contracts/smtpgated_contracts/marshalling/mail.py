"""SessionRef, Endpoint and Envelope on the wire."""

from typing import Final

from smtpgated.common.v1 import mail_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.values.mail import (
    MAX_IDENTITY,
    EdgeId,
    Endpoint,
    Envelope,
    SessionId,
    SessionRef,
)

_HIGHEST_PORT: Final = 65535


def endpoint_to_wire(endpoint: Endpoint) -> mail_pb2.Endpoint:
    return mail_pb2.Endpoint(address=endpoint.address, port=endpoint.port)


def endpoint_from_wire(wire: mail_pb2.Endpoint) -> Endpoint:
    if wire.port > _HIGHEST_PORT:
        raise MalformedMessage(f"port: {wire.port} is above {_HIGHEST_PORT}")
    return Endpoint(wire.address, wire.port)


def session_to_wire(session: SessionRef) -> mail_pb2.SessionRef:
    return mail_pb2.SessionRef(
        session_id=session.session_id,
        edge_id=session.edge_id,
        source=endpoint_to_wire(session.source),
        original_destination=endpoint_to_wire(session.original_destination),
        identity=session.identity,
    )


def session_from_wire(wire: mail_pb2.SessionRef) -> SessionRef:
    if not wire.session_id:
        raise MalformedMessage("session_id: empty")
    return SessionRef(
        SessionId(wire.session_id),
        EdgeId(wire.edge_id),
        endpoint_from_wire(wire.source),
        endpoint_from_wire(wire.original_destination),
        identity_from_wire(wire.identity),
    )


def identity_from_wire(identity: str) -> str:
    """Raises MalformedMessage for what could not be locked, logged or written in a header."""
    if len(identity) > MAX_IDENTITY or not identity.isprintable():
        raise MalformedMessage(
            f"identity: {identity[:40]!r} should be at most {MAX_IDENTITY} printable characters"
        )
    return identity


def envelope_to_wire(envelope: Envelope) -> mail_pb2.Envelope:
    return mail_pb2.Envelope(
        helo=envelope.helo,
        reverse_path=envelope.reverse_path,
        recipients=envelope.recipients,
        authenticated=envelope.authenticated,
        auth_user=envelope.auth_user,
    )


def envelope_from_wire(wire: mail_pb2.Envelope) -> Envelope:
    return Envelope(
        wire.helo,
        wire.reverse_path,
        tuple(wire.recipients),
        wire.authenticated,
        wire.auth_user,
    )
