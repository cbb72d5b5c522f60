"""Rules are asked about the MAIL and RCPT sent last; what they say counts once those hold."""

from dataclasses import dataclass
from typing import Final

import pytest

from rulebook.values import Action, Facts, Rule, Rulebook
from rulebook.values import Phase as RulePhase
from smtpgated_contracts.values.scan import EngineClass
from tests.support.relay_model import Play

TRUSTED: Final = b"trusted@src.example"


@dataclass(frozen=True)
class Concerned:
    """The address is that of the sender or, in the phase of RCPT, of the recipient."""

    address: bytes
    key: str = "concerned"

    def __call__(self, facts: Facts) -> bool:
        return self.address in (facts.reverse_path, facts.recipient)


def rulebook(phase: RulePhase, action: Action, address: bytes) -> Rulebook:
    return Rulebook({phase: (Rule("rule", phase, action, (Concerned(address),)),)})


def after(rules: Rulebook, client: bytes, server: bytes, more: bytes = b"") -> Play:
    """A greeted session in which the client sends one group, the server answers, and so on."""
    play = Play(rulebook=rules)
    play.begin()
    play.server_says(b"220 mx\r\n")
    play.client(client)
    play.server_says(server)
    if more:
        play.client(more)
    return play


def skipped(play: Play) -> frozenset[EngineClass]:
    assert play.seen.last_scan is not None
    return play.seen.last_scan.skip


SKIP_FOR_TRUSTED: Final = rulebook(RulePhase.MAIL, Action.SKIP_VIRUS, TRUSTED)


def test_what_rules_said_of_an_accepted_mail_holds_for_its_message() -> None:
    group = b"MAIL FROM:<%b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" % TRUSTED
    play = after(SKIP_FOR_TRUSTED, group, b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert skipped(play) == {EngineClass.VIRUS}


def test_what_rules_said_of_a_refused_mail_does_not() -> None:
    play = after(SKIP_FOR_TRUSTED, b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n", b"250 ok\r\n250 ok\r\n")
    play.client(b"MAIL FROM:<%b>\r\nDATA\r\n" % TRUSTED)
    play.server_says(b"503 nested\r\n")
    play.server_says(b"354 go\r\n")
    assert skipped(play) == frozenset()


@pytest.mark.parametrize(("answer", "skip"), [(b"250", {EngineClass.VIRUS}), (b"550", set())])
def test_what_rules_said_of_a_recipient_holds_once_it_is_accepted(
    answer: bytes, skip: set[EngineClass]
) -> None:
    rules = rulebook(RulePhase.RCPT, Action.SKIP_VIRUS, b"abuse@d")
    group = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<abuse@d>\r\nDATA\r\n"
    play = after(rules, group, b"250 ok\r\n250 ok\r\n%b ok\r\n354 go\r\n" % answer)
    assert skipped(play) == skip


def test_a_refused_recipient_is_not_the_one_that_content_rules_see() -> None:
    rules = rulebook(RulePhase.CONTENT, Action.REFUSE, b"gone@d")
    group = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<gone@d>\r\nDATA\r\n"
    play = after(rules, group, b"250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n")
    assert play.core._c.transaction.recipient == b"c@d"


def test_rcpt_in_a_group_is_judged_by_the_mail_before_it() -> None:
    rules = rulebook(RulePhase.RCPT, Action.REFUSE, b"bad@src.example")
    play = after(
        rules,
        b"MAIL FROM:<bad@src.example>\r\nRCPT TO:<1@d>\r\nRSET\r\n"
        b"RCPT TO:<2@d>\r\nMAIL FROM:<good@src.example>\r\nRCPT TO:<3@d>\r\n",
        b"",
    )
    assert b"<1@d>" not in play.seen.upstream
    assert b"<2@d>" in play.seen.upstream, "RSET has made an end of the bad one"
    assert b"<3@d>" in play.seen.upstream


def test_the_second_of_two_mails_makes_what_follows_wait() -> None:
    """Else the rules of DATA would judge by the second, and the message be the first one's."""
    rules = rulebook(RulePhase.DATA, Action.REFUSE, b"bad@src.example")
    play = after(
        rules,
        b"MAIL FROM:<bad@src.example>\r\nMAIL FROM:<good@src.example>\r\nRCPT TO:<c@d>\r\nDATA\r\n",
        b"250 ok\r\n503 nested\r\n",
    )
    assert b"DATA" not in play.seen.upstream


def test_a_mail_that_our_rules_refuse_leaves_nothing_behind() -> None:
    rules = rulebook(RulePhase.MAIL, Action.REFUSE, b"bad@src.example")
    play = after(rules, b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n", b"250 ok\r\n250 ok\r\n")
    play.client(b"MAIL FROM:<bad@src.example>\r\nRCPT TO:<e@f>\r\n")
    assert play.core._c.facts.reverse_path == b"a@b"
