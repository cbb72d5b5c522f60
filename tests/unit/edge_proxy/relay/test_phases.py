import pytest

from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.phases import PATIENCE, PATIENCE_FOR_THE_END, TRANSITIONS, Cause, Phase
from edge_proxy.relay.session import READERS
from edge_proxy.relay.settings import CoreSettings
from tests.support.relay_samples import RULEBOOK, SESSION

FIRST = Phase.POLICY
BARRIERS = {
    Phase.POLICY,
    Phase.GREETING,
    Phase.AWAIT_REPLY,
    Phase.DECISION,
    Phase.INTRODUCTION,
    Phase.AWAIT_GO_AHEAD,
    Phase.AWAIT_ENVELOPE,
    Phase.AWAIT_CHUNKS,
    Phase.VERDICT,
    Phase.TUNNEL,
    Phase.CLOSED,
}


def test_every_phase_has_a_reader_or_is_a_barrier() -> None:
    assert set(READERS) | BARRIERS == set(Phase)
    assert not set(READERS) & BARRIERS


def test_every_phase_has_patience() -> None:
    assert set(PATIENCE) == set(Phase)
    assert all(seconds > 0 for seconds in PATIENCE.values())


def test_patience_keeps_the_bounds_of_rfc_5321() -> None:
    assert PATIENCE[Phase.GREETING] >= 300  # §4.5.3.2.1
    assert PATIENCE[Phase.COMMAND] >= 300  # §4.5.3.2.7
    assert PATIENCE[Phase.CONTENT] >= 180  # §4.5.3.2.5
    assert PATIENCE_FOR_THE_END >= 600  # §4.5.3.2.6
    assert PATIENCE[Phase.VERDICT] < 300, "the server's own patience with us"


def test_every_phase_can_be_reached() -> None:
    reached = {FIRST}
    while new := {to for (at, _), to in TRANSITIONS.items() if at in reached} - reached:
        reached |= new
    assert reached | {Phase.CLOSED} == set(Phase)


def test_every_cause_leads_somewhere() -> None:
    assert {cause for _, cause in TRANSITIONS} == set(Cause)


def test_nothing_leads_out_of_a_tunnel_or_the_end() -> None:
    ends = {at for at, _ in TRANSITIONS} & {Phase.TUNNEL, Phase.TAKEOVER, Phase.CLOSED}
    assert not ends


def test_content_is_reached_by_354_alone_and_released_from_the_verdict_alone() -> None:
    assert [pair for pair, to in TRANSITIONS.items() if to is Phase.CONTENT] == [
        (Phase.AWAIT_GO_AHEAD, Cause.GO_AHEAD),
        (Phase.AWAIT_ENVELOPE, Cause.GO_AHEAD),
    ]
    assert [at for (at, cause) in TRANSITIONS if cause is Cause.RELEASED] == [Phase.VERDICT]


@pytest.mark.parametrize(
    ("phase", "cause"),
    [(phase, cause) for phase in Phase for cause in Cause if (phase, cause) not in TRANSITIONS],
    ids=lambda value: value.name,
)
def test_a_transition_that_is_not_in_the_table_is_a_bug(phase: Phase, cause: Cause) -> None:
    conversation = Conversation(CoreSettings(), SESSION, RULEBOOK)
    conversation.phase = phase
    with pytest.raises(KeyError):
        conversation.go(cause)
    assert conversation.phase is phase


def test_names_for_logs_are_single_words() -> None:
    assert all(phase.value.replace("-", "").islower() for phase in Phase)
    assert len({phase.value for phase in Phase}) == len(Phase)
