"""Other rules asked again about what was decided."""

from collections import Counter

from policy.core.decisions import KeptDecision, kept_answer, kept_ruling
from policy.core.replay import MOST_TOLD, Turn, Word, replay
from rulebook.document import parse
from rulebook.values import Phase
from smtpgated_contracts.values.asked import MailAsked, SessionAsked
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import ADMITTED
from smtpgated_contracts.values.reported import RulingFacts, RulingReport
from tests.contract.policy.samples import asks, asks_data, session

SILENT = parse("schema = 1\n")


def book(phase: str, when: str, action: str = "refuse") -> str:
    return (
        f'schema = 1\n[[rules]]\nid = "r"\nphase = "{phase}"\naction = "{action}"\nwhen = {when}\n'
    )


def answered(*asked: object) -> list[KeptDecision]:
    return [
        kept_answer(str(at), at, each, ADMITTED, (), 1)  # type: ignore[arg-type]
        for at, each in enumerate(asked)
    ]


def ruled(phase: str, action: str = "", recipient: bytes = b"", name: str = "a") -> KeptDecision:
    facts = RulingFacts(Envelope(b"bad.example", b"a@b.example"), recipient)
    told = RulingReport(session(name), 1, phase, action, "old" if action else "", facts=facts)
    kept = kept_ruling("x", 1, told)
    assert kept is not None
    return kept


def mail(name: str, helo: bytes) -> MailAsked:
    return MailAsked(session(name), 1, Envelope(helo, b"a@b.example"))


def test_what_would_be_refused_now_is_told_with_the_rule() -> None:
    new = parse(book("connect", '{ source = ["192.0.2.0/24"] }'))
    kept = answered(asks("a"), asks("b", "198.51.100.1"))
    replayed = replay(new, kept)
    turn = Turn(Phase.CONNECT, Word(), Word("refuse", "r"))
    assert (replayed.asked, replayed.turns) == (2, Counter({turn: 1}))
    (difference,) = replayed.told
    assert difference.decision is kept[0]


def test_what_rules_refused_then_and_would_let_pass_now_is_told() -> None:
    replayed = replay(SILENT, [ruled("helo", "refuse")])
    assert replayed.turns == {Turn(Phase.HELO, Word("refuse", "old"), Word()): 1}


def test_the_same_word_by_another_rule_is_no_difference() -> None:
    new = parse(book("helo", '{ helo_matches = ["^bad"] }'))
    assert not replay(new, [ruled("helo", "refuse")]).turns


def test_helo_and_recipients_that_no_rule_spoke_of_are_asked_about_once() -> None:
    by_name = parse(book("helo", '{ helo_matches = ["^bad"] }'))
    asked = answered(mail("a", b"bad.example"), mail("a", b"bad.example"), mail("b", b"good"))
    assert replay(by_name, asked).turns.total() == 1
    by_recipient = parse(book("rcpt", '{ rcpt_to_matches = ["^r1@"] }', "defer"))
    assert replay(by_recipient, answered(asks_data("a", recipients=3))).turns == {
        Turn(Phase.RCPT, Word(), Word("defer", "r")): 1
    }


def test_where_rules_spoke_their_facts_count_and_not_those_of_the_question() -> None:
    new = parse(book("rcpt", '{ rcpt_to_matches = ["^r1@"] }'))
    kept = [*answered(asks_data("a", recipients=3)), ruled("rcpt", "refuse", b"r1@c.example")]
    assert not replay(new, kept).turns


def test_octets_that_are_no_text_are_replayed_as_they_were() -> None:
    new = parse(book("helo", '{ helo_matches = ["\\\\xff$"] }'))
    assert replay(new, answered(mail("a", b"caf\xff"))).turns.total() == 1


def test_all_are_counted_and_some_are_told() -> None:
    new = parse(book("connect", '{ source = ["192.0.2.0/24"] }'))
    crowd = answered(*(SessionAsked(session(str(at))) for at in range(MOST_TOLD + 10)))
    replayed = replay(new, crowd)
    assert replayed.turns.total() == MOST_TOLD + 10
    assert len(replayed.told) == MOST_TOLD
