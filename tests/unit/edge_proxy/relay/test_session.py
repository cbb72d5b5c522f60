"""What a caller looks at after each input, and inputs that come when nobody waits for them.

What the inputs lead to is shown in tests/transcripts.
"""

from collections.abc import Callable, Sequence

import pytest

from edge_proxy.relay.actions import Action, ScanId
from edge_proxy.relay.facts import CloseCause
from edge_proxy.relay.phases import PATIENCE, PATIENCE_FOR_THE_END, Phase
from edge_proxy.relay.settings import CoreSettings
from smtpgated_contracts.values.policy import Decision, DecisionKind, Disposition, Stage
from tests.support.model_server import ModelServer, Mood
from tests.support.relay_model import Play
from tests.support.relay_samples import CLEAN, INFECTED

ENVELOPE = b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"


def greeted(server: ModelServer | None = None, settings: CoreSettings | None = None) -> Play:
    play = Play(server, settings=settings)
    play.begin()
    play.deliver_all()
    return play


def in_content() -> Play:
    play = greeted()
    for line in ENVELOPE.splitlines(keepends=True):
        play.client(line)
        play.deliver_all()
    assert play.core.phase is Phase.CONTENT
    return play


def held() -> Play:
    play = in_content()
    play.client(b"text\r\n.\r\n")
    return play


# Back pressure


def test_reading_stops_while_a_barrier_has_a_full_inbox() -> None:
    play = greeted(settings=CoreSettings(max_inbox=10))
    play.client(b"EHLO c\r\n")
    play.client(b"NOOP\r\n")
    assert play.core.wants_downstream
    play.client(b"NOOP\r\n")
    assert not play.core.wants_downstream
    play.deliver_all()
    assert play.core.wants_downstream


def test_content_is_never_kept_so_reading_goes_on() -> None:
    play = in_content()
    play.client(b"x" * 1_000_000)
    assert play.core.wants_downstream


# Patience


@pytest.mark.parametrize(
    ("begin", "phase"),
    [(greeted, Phase.COMMAND), (in_content, Phase.CONTENT), (held, Phase.VERDICT)],
)
def test_patience_is_that_of_the_phase(begin: Callable[[], Play], phase: Phase) -> None:
    core = begin().core
    assert core.phase is phase
    assert core.patience == PATIENCE[phase]


def test_a_server_has_ten_minutes_for_the_end_of_content() -> None:
    play = held()
    play.verdict(CLEAN)
    assert play.core.patience == PATIENCE_FOR_THE_END
    play.deliver_all()
    assert play.core.patience == PATIENCE[Phase.COMMAND]


def test_a_step_forward_is_progress_and_an_octet_is_none() -> None:
    play = greeted()
    before = play.core.progress
    play.client(b"NOO")
    assert play.core.progress == before
    play.client(b"P\r\n")
    after_command = play.core.progress
    assert after_command != before
    play.server_says(b"250")
    assert play.core.progress == after_command
    play.server_says(b" ok\r\n")
    assert play.core.progress != after_command


def test_every_slice_of_content_is_progress() -> None:
    play = in_content()
    before = play.core.progress
    play.client(b"x")
    assert play.core.progress != before


# Inputs that nobody waits for


def acted(play: Play) -> tuple[bytes, bytes, list[Action]]:
    return bytes(play.seen.downstream), bytes(play.seen.upstream), list(play.seen.control)


@pytest.mark.parametrize("kind", DecisionKind)
def test_a_decision_that_comes_twice_changes_nothing(kind: DecisionKind) -> None:
    play = greeted()
    before = acted(play)
    play.decide(Decision(kind))
    assert acted(play) == before


def test_a_verdict_on_another_scan_changes_nothing() -> None:
    play = held()
    before = acted(play)
    for scan in (0, 2, 99):
        play.stray_verdict(ScanId(scan), CLEAN)
    assert acted(play) == before
    assert play.core.phase is Phase.VERDICT


def test_a_verdict_that_comes_twice_counts_once() -> None:
    play = held()
    play.verdict(CLEAN)
    before = acted(play)
    play.stray_verdict(ScanId(1), INFECTED)
    assert acted(play) == before


@pytest.mark.parametrize("waiting", [True, False])
def test_a_look_nobody_asked_for_changes_nothing(waiting: bool) -> None:
    play = greeted()
    assert list(play.core.looked(waiting=waiting)) == []
    play.client(b"STARTTLS\r\n")
    assert list(play.core.looked(waiting=waiting)) == []
    assert play.core.phase is Phase.AWAIT_TLS


def test_after_the_end_nothing_leads_to_anything() -> None:
    play = held()
    play.shut_down()
    core = play.core
    inputs: tuple[Callable[[], Sequence[Action]], ...] = (
        lambda: core.downstream_octets(b"NOOP\r\n"),
        core.downstream_ended,
        core.downstream_lost,
        core.upstream_connected,
        lambda: core.upstream_octets(b"250 ok\r\n"),
        lambda: core.scanned(ScanId(1), CLEAN),
        lambda: core.held(Stage.REFUSE),
        lambda: core.held(None),
        lambda: core.loaded(3.0),
        core.drain,
        core.shut_down,
        core.deadline_passed,
        lambda: core.looked(waiting=True),
        lambda: core.decided(Decision(DecisionKind.REFUSE)),
    )
    assert [list(told()) for told in inputs] == [[] for _ in inputs]


def test_what_a_server_says_after_it_was_given_up_is_not_kept() -> None:
    play = held()
    play.verdict(INFECTED)
    assert list(play.core.upstream_octets(b"250 queued\r\n" * 1000)) == []
    assert len(play.core._c.replies) == 0


# The record


def test_the_record_counts_what_was_accepted_and_what_was_not() -> None:
    willing, never = Mood.WILLING, Mood.NEVER
    moods = [willing, never, willing, never, willing, never, willing]
    play = greeted(ModelServer(moods))
    for line in (
        b"EHLO client.example\r\n",
        b"MAIL FROM:<no@b>\r\n",
        b"MAIL FROM:<a@b>\r\n",
        b"RCPT TO:<no@d>\r\n",
        b"RCPT TO:<c@d>\r\n",
        b"AUTH PLAIN bad\r\n",
        b"AUTH PLAIN good\r\n",
        b"DATA\r\n",
    ):
        play.client(line)
        play.deliver_all()
    play.client(b"text\r\n.\r\n")
    play.verdict(CLEAN)
    play.deliver_all()
    play.client(b"QUIT\r\n")
    play.deliver_all()
    record = play.core.record
    assert record.helo == b"client.example"
    assert (record.mail_rejected, record.rcpt_rejected, record.recipients) == (1, 1, 1)
    assert (record.auth_accepted, record.auth_rejected) == (1, 1)
    assert record.dispositions == {Disposition.RELEASE: 1}
    assert b"PIPELINING" in record.offered
    assert record.closed_by is CloseCause.QUIT
    assert not record.tunnelled


def test_an_envelope_names_no_more_recipients_than_are_kept() -> None:
    play = greeted(settings=CoreSettings(max_recipients_kept=2))
    play.client(b"MAIL FROM:<a@b>\r\n" + b"RCPT TO:<c@d>\r\n" * 5 + b"DATA\r\n")
    play.deliver_all()
    play.client(b".\r\n")
    scan = play.seen.last_scan
    assert scan is not None
    assert scan.envelope is not None
    assert len(scan.envelope.recipients) == 2
    assert play.core.record.recipients == 5
    assert play.server.commands.count(b"RCPT TO:<c@d>") == 5


def test_rules_asked_after_policy_named_the_source_know_its_identity() -> None:
    play = Play()
    play.core.identify("subscriber-17")
    assert play.core._c.facts.identity == "subscriber-17"


# Content that takes too long


def in_a_chunk() -> Play:
    play = greeted()
    for line in ENVELOPE.splitlines(keepends=True)[:3]:
        play.client(line)
        play.deliver_all()
    play.client(b"BDAT 10\r\nabc")
    assert play.core.phase is Phase.CHUNK
    return play


def between_chunks() -> Play:
    play = in_a_chunk()
    play.client(b"defghij")
    assert play.core.phase is Phase.COMMAND
    return play


def read_away() -> Play:
    play = in_content()
    play.server_lost()
    assert play.core.phase is Phase.DISCARD
    return play


@pytest.mark.parametrize("begin", [in_content, in_a_chunk, between_chunks, read_away])
def test_content_that_arrives_has_a_name_and_an_end(begin: Callable[[], Play]) -> None:
    play = begin()
    named = play.core.content_arriving
    assert named is not None
    play.client(b"x")
    assert play.core.content_arriving == named
    play.content_overdue()
    assert play.core.phase is Phase.CLOSED
    assert play.seen.downstream.endswith(b"421 4.4.2 Message takes too long\r\n")


@pytest.mark.parametrize("begin", [greeted, held])
def test_where_no_content_arrives_none_is_overdue(begin: Callable[[], Play]) -> None:
    play = begin()
    assert play.core.content_arriving is None
    before = acted(play)
    play.content_overdue()
    assert acted(play) == before


def test_the_next_message_has_another_name() -> None:
    play = in_content()
    first = play.core.content_arriving
    play.client(b".\r\n")
    play.verdict(CLEAN)
    play.deliver_all()
    play.client(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n")
    play.deliver_all()
    assert play.core.content_arriving not in (None, first)


def test_chunks_of_ours_that_are_unanswered_are_bounded() -> None:
    settings = CoreSettings(content_as_chunks=True, max_owed_replies=3, max_inbox=10)
    play = greeted(settings=settings)
    for line in ENVELOPE.splitlines(keepends=True):
        play.client(line)
        play.deliver_all()
    sent = 0
    while play.core.wants_downstream:
        play.client(b"text\r\n")
        sent += 1
    assert sent == 3 + 2, "three chunks, and what fills the inbox"
    play.deliver_all()
    assert play.core.wants_downstream
    play.client(b".\r\n")
    play.deliver_all()
    play.verdict(CLEAN)
    play.deliver_all()
    assert play.server.contents == [b"text\r\n" * sent]
