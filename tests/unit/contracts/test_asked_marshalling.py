import pytest
from hypothesis import given

from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.asked import (
    data_asked_from_wire,
    data_asked_to_wire,
    mail_asked_from_wire,
    mail_asked_to_wire,
    session_asked_from_wire,
    session_asked_to_wire,
)
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.values.asked import DataAsked, MailAsked, SessionAsked
from tests.unit.contracts.strategies import data_asked, mails_asked, sessions_asked


@given(sessions_asked)
def test_a_question_about_a_session_comes_back(asked: SessionAsked) -> None:
    octets = session_asked_to_wire(asked).SerializeToString()
    assert session_asked_from_wire(policy_pb2.OpenSession.FromString(octets)) == asked


@given(mails_asked)
def test_a_question_about_mail_comes_back(asked: MailAsked) -> None:
    octets = mail_asked_to_wire(asked).SerializeToString()
    assert mail_asked_from_wire(policy_pb2.AskMail.FromString(octets)) == asked


@given(data_asked)
def test_a_question_about_content_comes_back(asked: DataAsked) -> None:
    octets = data_asked_to_wire(asked).SerializeToString()
    assert data_asked_from_wire(policy_pb2.AskData.FromString(octets)) == asked


def test_a_question_about_no_session_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="session_id"):
        mail_asked_from_wire(policy_pb2.AskMail())
    with pytest.raises(MalformedMessage, match="session_id"):
        data_asked_from_wire(policy_pb2.AskData())
