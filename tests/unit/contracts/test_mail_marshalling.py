import pytest
from hypothesis import given

from smtpgated.common.v1 import mail_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.mail import (
    endpoint_from_wire,
    endpoint_to_wire,
    envelope_from_wire,
    envelope_to_wire,
    session_from_wire,
    session_to_wire,
)
from smtpgated_contracts.values.mail import Endpoint, Envelope, SessionRef
from tests.unit.contracts.strategies import endpoints, envelopes, sessions


@given(endpoints)
def test_an_endpoint_comes_back(endpoint: Endpoint) -> None:
    octets = endpoint_to_wire(endpoint).SerializeToString()
    assert endpoint_from_wire(mail_pb2.Endpoint.FromString(octets)) == endpoint


@given(sessions)
def test_a_session_comes_back(session: SessionRef) -> None:
    octets = session_to_wire(session).SerializeToString()
    assert session_from_wire(mail_pb2.SessionRef.FromString(octets)) == session


@given(envelopes)
def test_an_envelope_comes_back_octet_by_octet(envelope: Envelope) -> None:
    octets = envelope_to_wire(envelope).SerializeToString()
    assert envelope_from_wire(mail_pb2.Envelope.FromString(octets)) == envelope


def test_a_port_that_no_tcp_has_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="port"):
        endpoint_from_wire(mail_pb2.Endpoint(address="192.0.2.1", port=65536))


def test_a_session_without_a_name_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="session_id"):
        session_from_wire(mail_pb2.SessionRef(edge_id="e"))


def test_a_session_with_an_impossible_end_is_malformed() -> None:
    wire = mail_pb2.SessionRef(session_id="s", source=mail_pb2.Endpoint(port=2**31))
    with pytest.raises(MalformedMessage, match="port"):
        session_from_wire(wire)


def test_what_an_older_peer_does_not_say_has_usable_values() -> None:
    session = session_from_wire(mail_pb2.SessionRef(session_id="s"))
    assert (session.identity, session.source) == ("", Endpoint("", 0))
    assert envelope_from_wire(mail_pb2.Envelope()) == Envelope()


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        (Endpoint("192.0.2.1", 25), "192.0.2.1:25"),
        (Endpoint("2001:db8::1", 25), "[2001:db8::1]:25"),
    ],
)
def test_an_endpoint_is_written_as_people_write_it(endpoint: Endpoint, text: str) -> None:
    assert str(endpoint) == text
