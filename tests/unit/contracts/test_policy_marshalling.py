import pytest
from hypothesis import given

from smtpgated.common.v1 import mail_pb2
from smtpgated.policy.v1 import policy_pb2
from smtpgated.scan.v1 import scan_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.policy import (
    answer_to_wire,
    decision_from_wire,
    outcome_from_wire,
    outcome_to_wire,
    progress_from_wire,
    progress_to_wire,
)
from smtpgated_contracts.values.policy import (
    Decision,
    DecisionKind,
    Disposition,
    SessionProgress,
    TransactionOutcome,
)
from tests.unit.contracts.strategies import decisions, outcomes, progresses, uint64


@given(uint64, decisions)
def test_a_decision_comes_back_with_its_question(question: int, decision: Decision) -> None:
    octets = answer_to_wire(question, decision).SerializeToString()
    wire = policy_pb2.Answer.FromString(octets)
    assert wire.question_id == question
    assert decision_from_wire(wire) == decision


@given(progresses)
def test_progress_comes_back(progress: SessionProgress) -> None:
    octets = progress_to_wire(progress).SerializeToString()
    assert progress_from_wire(policy_pb2.SessionProgress.FromString(octets)) == progress


@given(outcomes)
def test_an_outcome_comes_back(outcome: TransactionOutcome) -> None:
    octets = outcome_to_wire(outcome).SerializeToString()
    assert outcome_from_wire(policy_pb2.TransactionOutcome.FromString(octets)) == outcome


@pytest.mark.parametrize("kind", DecisionKind)
def test_every_decision_has_a_number_of_its_own(kind: DecisionKind) -> None:
    assert decision_from_wire(answer_to_wire(1, Decision(kind))).kind is kind


def test_an_answer_that_says_nothing_is_never_taken_for_admit() -> None:
    with pytest.raises(MalformedMessage, match="decision"):
        decision_from_wire(policy_pb2.Answer(question_id=1))


@pytest.mark.parametrize("identity", ["x" * 257, "two\r\nlines", "\x00"])
def test_an_identity_that_could_forge_a_line_is_malformed(identity: str) -> None:
    wire = policy_pb2.Answer(decision=policy_pb2.DECISION_KIND_ADMIT, identity=identity)
    with pytest.raises(MalformedMessage, match="identity"):
        decision_from_wire(wire)


@pytest.mark.parametrize("reply", ["x" * 401, "two\r\nlines", "żółw"])
def test_a_reply_that_could_forge_another_is_malformed(reply: str) -> None:
    wire = policy_pb2.Answer(decision=policy_pb2.DECISION_KIND_DEFER, reply=reply)
    with pytest.raises(MalformedMessage, match="reply"):
        decision_from_wire(wire)


def test_no_limit_on_recipients_and_none_left_are_not_the_same() -> None:
    unlimited, none_left = (
        Decision(DecisionKind.ADMIT),
        Decision(DecisionKind.ADMIT, recipients_left=0),
    )
    assert decision_from_wire(answer_to_wire(1, unlimited)).recipients_left is None
    assert decision_from_wire(answer_to_wire(1, none_left)).recipients_left == 0


def test_progress_of_no_session_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="session_id"):
        progress_from_wire(policy_pb2.SessionProgress(phase="command"))


SESSION = mail_pb2.SessionRef(session_id="s")


@pytest.mark.parametrize(
    ("wire", "place"),
    [
        (policy_pb2.TransactionOutcome(session=SESSION), "disposition"),
        (
            policy_pb2.TransactionOutcome(disposition=policy_pb2.DISPOSITION_RELEASE),
            "session_id",
        ),
        (
            policy_pb2.TransactionOutcome(
                session=SESSION,
                disposition=policy_pb2.DISPOSITION_RELEASE,
                verdict=scan_pb2.Verdict(),
            ),
            "kind",
        ),
        (
            policy_pb2.TransactionOutcome(
                session=SESSION,
                disposition=policy_pb2.DISPOSITION_REFUSE,
                locks=[policy_pb2.Lock()],
            ),
            "subject",
        ),
    ],
)
def test_an_outcome_that_lacks_what_it_must_say_is_malformed(
    wire: policy_pb2.TransactionOutcome, place: str
) -> None:
    with pytest.raises(MalformedMessage, match=place):
        outcome_from_wire(wire)


def test_no_verdict_and_a_verdict_that_says_nothing_are_not_the_same() -> None:
    wire = policy_pb2.TransactionOutcome(
        session=SESSION, disposition=policy_pb2.DISPOSITION_ABANDONED
    )
    outcome = outcome_from_wire(wire)
    assert outcome.verdict is None
    assert outcome.disposition is Disposition.ABANDONED
