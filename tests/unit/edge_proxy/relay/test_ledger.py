import pytest

from edge_proxy.relay.ledger import Awaited, Expect, ReplyLedger
from edge_proxy.relay.transaction import Transaction


def test_an_own_answer_leaves_at_once_when_nothing_is_owed() -> None:
    ledger = ReplyLedger()
    assert ledger.owe(b"502\r\n") == b"502\r\n"
    assert len(ledger) == 0
    assert ledger.due() == b""


def test_a_reply_of_our_own_waits_for_upstream() -> None:
    ledger = ReplyLedger()
    ledger.await_reply(Awaited(Expect.MAIL))
    assert ledger.owe(b"502 a\r\n") == b""
    assert ledger.due() == b""
    ledger.settle()
    assert ledger.due() == b"502 a\r\n"
    assert ledger.due() == b""


def test_own_answers_leave_up_to_the_next_reply_owed() -> None:
    ledger = ReplyLedger()
    ledger.await_reply(Awaited(Expect.MAIL))
    ledger.owe(b"a")
    ledger.owe(b"b")
    ledger.await_reply(Awaited(Expect.RCPT))
    ledger.owe(b"c")
    ledger.settle()
    assert ledger.due() == b"ab"
    ledger.settle()
    assert ledger.due() == b"c"
    assert len(ledger) == 0


def test_replies_settle_in_the_order_of_the_commands() -> None:
    ledger = ReplyLedger()
    for expect in (Expect.MAIL, Expect.RCPT, Expect.DATA):
        ledger.await_reply(Awaited(expect))
    settled = [ledger.settle() for _ in range(4)]
    assert [entry.expect if entry else None for entry in settled] == [
        Expect.MAIL,
        Expect.RCPT,
        Expect.DATA,
        None,
    ]


def test_a_reply_to_nothing_settles_nothing() -> None:
    ledger = ReplyLedger()
    assert ledger.settle() is None
    assert not ledger.awaits


def test_own_answers_count_towards_the_bound() -> None:
    ledger = ReplyLedger()
    ledger.await_reply(Awaited(Expect.OTHER))
    ledger.owe(b"a")
    ledger.owe(b"b")
    assert len(ledger) == 3
    assert ledger.awaits


def test_own_answers_left_at_the_head_are_a_bug() -> None:
    ledger = ReplyLedger()
    ledger.await_reply(Awaited(Expect.OTHER))
    ledger.owe(b"a")
    ledger.await_reply(Awaited(Expect.OTHER))
    ledger.settle()
    with pytest.raises(AssertionError):
        ledger.settle()


def test_messages_whose_end_was_sent_are_known_until_their_answer() -> None:
    ledger = ReplyLedger()
    first, second = Transaction(ordinal=1), Transaction(ordinal=2)
    ledger.await_reply(Awaited(Expect.END, transaction=first))
    ledger.await_reply(Awaited(Expect.MAIL))
    ledger.owe(b"a")
    ledger.await_reply(Awaited(Expect.END, transaction=second))
    assert ledger.unanswered_ends() == [first, second]
    ledger.settle()
    assert ledger.unanswered_ends() == [second]
