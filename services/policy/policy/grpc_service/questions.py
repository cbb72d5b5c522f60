"""Questions from the wire, validated; one that makes no sense is None, never an error."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from policy.core.leases import Release, Renew
from policy.core.subjects import MAX_NAME, SubjectError, normal_address
from policy.replica.decider import Question
from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.asked import (
    data_asked_from_wire,
    mail_asked_from_wire,
    session_asked_from_wire,
)
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.policy import progress_from_wire
from smtpgated_contracts.values.mail import Endpoint, SessionId, SessionRef
from smtpgated_contracts.values.policy import SessionProgress

MAX_ID: Final = 128
"""Characters in the id of a session, an edge, a phase."""


def question_from_wire(wire: policy_pb2.Question) -> Question:
    about = wire.WhichOneof("about")
    if about is None:
        return None
    try:
        return _READERS[about](wire)
    except (MalformedMessage, SubjectError):
        return None


def sound_session(session: SessionRef) -> SessionRef:
    """With canonical addresses. Raises MalformedMessage or SubjectError."""
    if len(session.session_id) > MAX_ID or len(session.edge_id) > MAX_ID:
        raise MalformedMessage(f"session_id or edge_id: more than {MAX_ID} characters")
    if len(session.identity) > MAX_NAME:
        raise MalformedMessage(f"identity: more than {MAX_NAME} characters")
    address = normal_address(session.source.address)
    if address == session.source.address:
        return session
    return replace(session, source=Endpoint(address, session.source.port))


def _open(wire: policy_pb2.Question) -> Question:
    asked = session_asked_from_wire(wire.open_session)
    return replace(asked, session=sound_session(asked.session))


def _mail(wire: policy_pb2.Question) -> Question:
    asked = mail_asked_from_wire(wire.ask_mail)
    egress_address = normal_address(asked.egress_address) if asked.egress_address else ""
    return replace(asked, session=sound_session(asked.session), egress_address=egress_address)


def _data(wire: policy_pb2.Question) -> Question:
    asked = data_asked_from_wire(wire.ask_data)
    return replace(asked, session=sound_session(asked.session))


def _renew(wire: policy_pb2.Question) -> Question:
    return Renew(tuple(map(_sound_progress, wire.renew_sessions.sessions)))


def _release(wire: policy_pb2.Question) -> Question:
    return Release(tuple(map(SessionId, wire.close_sessions.session_ids)))


def _sound_progress(wire: policy_pb2.SessionProgress) -> SessionProgress:
    progress = progress_from_wire(wire)
    if len(progress.phase) > MAX_ID:
        raise MalformedMessage(f"phase: more than {MAX_ID} characters")
    session = sound_session(progress.session)
    return progress if session is progress.session else replace(progress, session=session)


_READERS: Final[Mapping[str, Callable[[policy_pb2.Question], Question]]] = {
    "open_session": _open,
    "ask_mail": _mail,
    "ask_data": _data,
    "renew_sessions": _renew,
    "close_sessions": _release,
}
