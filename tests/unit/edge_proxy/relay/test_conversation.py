from edge_proxy.relay import refusals
from edge_proxy.relay.actions import CloseDownstream, CloseUpstream, SendDownstream
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.facts import CloseCause
from edge_proxy.relay.phases import Phase
from edge_proxy.relay.settings import CoreSettings
from tests.support.relay_samples import RULEBOOK, SESSION


def _conversation(settings: CoreSettings | None = None) -> Conversation:
    conversation = Conversation(settings or CoreSettings(), SESSION, RULEBOOK)
    conversation.ledger.settle()  # the greeting
    return conversation


def test_a_session_ends_once() -> None:
    conversation = _conversation()
    conversation.close(CloseCause.DRAIN, refusals.DRAINING)
    assert conversation.outbox.take() == [
        SendDownstream(b"421 4.3.2 Service is shutting down\r\n"),
        CloseDownstream(),
    ]
    conversation.close(CloseCause.ERROR, refusals.OUR_FAULT)
    assert conversation.outbox.take() == []
    assert conversation.record.closed_by is CloseCause.DRAIN


def test_a_last_word_is_the_detail_unless_there_is_a_better_one() -> None:
    plain, detailed, mute = _conversation(), _conversation(), _conversation()
    plain.close(CloseCause.LOCK, refusals.LOCKED)
    detailed.close(CloseCause.POLICY, refusals.OVER_LIMIT, detail="concurrent_sessions")
    mute.close(CloseCause.CLIENT)
    assert plain.record.detail == refusals.LOCKED.text
    assert detailed.record.detail == "concurrent_sessions"
    assert mute.record.detail == ""


def test_a_polite_end_lets_pending_octets_leave_on_both_sides() -> None:
    conversation = _conversation()
    conversation.upstream_open = True
    conversation.close_politely(CloseCause.QUIT)
    assert conversation.outbox.take() == [CloseUpstream(), CloseDownstream()]
    assert conversation.phase is Phase.CLOSED


def test_a_host_name_is_told_when_there_is_one() -> None:
    conversation = _conversation(CoreSettings(reply_name="edge.example"))
    conversation.answer(refusals.DONE)
    assert conversation.outbox.take() == [SendDownstream(b"250 2.0.0 edge.example Ok\r\n")]


def test_refusals_are_counted_and_one_too_many_is_the_last() -> None:
    conversation = _conversation(CoreSettings(max_refused_commands=2))
    for _ in range(2):
        conversation.refuse_command(refusals.UNKNOWN_COMMAND)
    assert CloseDownstream() not in conversation.outbox.take()
    conversation.refuse_command(refusals.UNKNOWN_COMMAND)
    assert conversation.phase is Phase.CLOSED
    assert conversation.record.closed_by is CloseCause.VIOLATION


def test_the_facts_rules_see_begin_with_who_is_talking_to_whom() -> None:
    facts = _conversation().facts
    assert facts.source == SESSION.source.address
    assert facts.destination == SESSION.original_destination.address
    assert facts.destination_port == SESSION.original_destination.port
