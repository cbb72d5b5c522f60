from dataclasses import replace

from edge_proxy.relay.facts import (
    MOST_REFUSED_KEPT,
    RefusedAddress,
    SessionRecord,
    TransactionEnded,
)
from edge_proxy.smtp.verbs import Verb
from rulebook.defaults import DEFAULT_DOCUMENT
from rulebook.document import parse
from smtpgated_contracts.values.policy import Disposition
from tests.support.model_server import ModelServer, Mood
from tests.support.relay_model import Play
from tests.support.relay_samples import CLEAN


def test_a_record_counts_messages_and_what_became_of_them() -> None:
    record = SessionRecord()
    for disposition in (Disposition.RELEASE, Disposition.REFUSE, Disposition.RELEASE):
        record.count_disposition(disposition)
    assert record.transactions == 3
    assert record.dispositions == {Disposition.RELEASE: 2, Disposition.REFUSE: 1}


def test_records_do_not_share_their_counts() -> None:
    SessionRecord().count_disposition(Disposition.DEFER)
    assert SessionRecord().dispositions == {}


def test_refused_addresses_are_kept_up_to_a_bound_and_taken_once() -> None:
    record = SessionRecord()
    for number in range(MOST_REFUSED_KEPT + 5):
        record.refuse(Verb.RCPT, b"%d@x" % number, 550)
    taken = record.take_refused()
    assert len(taken) == MOST_REFUSED_KEPT
    assert taken[0] == RefusedAddress(Verb.RCPT, b"0@x", 550)
    assert record.take_refused() == ()


def _played(moods: list[Mood], *commands: bytes, rules: str = "") -> Play:
    rulebook = replace(parse(DEFAULT_DOCUMENT + rules), rates=())
    play = Play(ModelServer(moods), rulebook=rulebook)
    play.begin()
    play.deliver_all()
    for command in commands:
        play.client(command + b"\r\n")
        play.deliver_all()
    return play


_REFUSED_RCPT = [Mood.WILLING, Mood.WILLING, Mood.NEVER, *[Mood.WILLING] * 9]


def test_a_message_names_the_recipients_the_server_refused() -> None:
    play = _played(
        _REFUSED_RCPT,
        b"EHLO c",
        b"MAIL FROM:<a@x>",
        b"RCPT TO:<no@x>",
        b"RCPT TO:<yes@x>",
        b"DATA",
        b"text\r\n.",
    )
    play.verdict(CLEAN)
    play.deliver_all()
    (ended,) = [fact for fact in play.seen.facts if isinstance(fact, TransactionEnded)]
    assert ended.envelope.recipients == (b"yes@x",)
    assert ended.refused == (RefusedAddress(Verb.RCPT, b"no@x", 550),)
    assert play.core.record.refused == []


def test_what_was_refused_without_a_message_stays_with_the_session() -> None:
    play = _played(
        [Mood.WILLING, Mood.LATER, *[Mood.WILLING] * 9], b"EHLO c", b"MAIL FROM:<a@x>", b"QUIT"
    )
    (refused,) = play.core.record.refused
    assert (refused.verb, refused.address, refused.code // 100) == (Verb.MAIL, b"a@x", 4)
    assert play.core.record.reverse_path == b"a@x"


def test_an_address_that_a_rule_refuses_is_kept_without_a_code() -> None:
    rules = '\n[[rules]]\nid = "none"\nphase = "rcpt"\naction = "refuse"\n'
    play = _played([Mood.WILLING] * 9, b"EHLO c", b"MAIL FROM:<a@x>", b"RCPT TO:<b@x>", rules=rules)
    assert play.core.record.refused == [RefusedAddress(Verb.RCPT, b"b@x", 0)]


def test_a_refused_hello_is_known_as_refused_until_another_is_accepted() -> None:
    moods = [Mood.NEVER, Mood.WILLING]
    assert _played(moods, b"EHLO c").core.record.helo_refused
    assert not _played(moods, b"EHLO c", b"HELO c").core.record.helo_refused
