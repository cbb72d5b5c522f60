"""The end of a message, held until the verdict: released, or refused without ever being sent."""

from typing import Final

from edge_proxy.relay.actions import AbandonScan, FinishScan
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.judgement import Judgement, judge_content
from edge_proxy.relay.ledger import Awaited, Expect
from edge_proxy.relay.phases import Cause
from edge_proxy.relay.rules import judge
from edge_proxy.relay.transaction import Transaction
from edge_proxy.smtp.content import TERMINATOR
from rulebook.values import Phase as RulePhase
from rulebook.values import Ruling
from smtpgated_contracts.values.scan import Verdict, VerdictKind, unscanned

END_OF_CHUNKS: Final = b"BDAT 0 LAST\r\n"
"""The held end of a message in chunks: RFC 3030 §2 lets the last chunk be empty."""


def finish_scan(c: Conversation) -> None:
    """The content is whole: so is what the scanner was given."""
    transaction = c.transaction
    if transaction.scan is not None:
        envelope = c.envelope_of(transaction)
        c.outbox.ask(FinishScan(transaction.scan, envelope, transaction.oversized))
        if transaction.verdict is not None:  # the scanner spoke before the end came
            transaction.scan = None


def hold_end(c: Conversation) -> None:
    """All but the end is upstream, which owes nothing; judge, unless the verdict is awaited."""
    transaction = c.transaction
    c.go(Cause.CONTENT_ENDED)
    if transaction.scan is not None:
        return
    if transaction.oversized:
        # what the scanner had found before the limit was reached still counts
        _dispose(c, transaction.verdict or unscanned("larger than the scan limit"))
    else:
        _dispose(c, transaction.verdict)


def verdict_came(c: Conversation, verdict: Verdict) -> None:
    """While the end is held."""
    c.transaction.scan = None
    _dispose(c, verdict)


def dispose_unheard(c: Conversation) -> None:
    """The scanner's time is up while the end is held: the stances decide."""
    scan = c.transaction.scan
    assert scan is not None, "the end was held for no verdict"
    c.outbox.ask(AbandonScan(scan))
    verdict_came(c, unscanned("no verdict in time"))


def give_up_verdict(c: Conversation) -> None:
    """Upstream is gone while the end is held: no verdict could release it any more."""
    c.abandon_transaction(c.content_answer.code)
    c.take_over_from_lost_server()


def _dispose(c: Conversation, verdict: Verdict | None) -> None:
    """Release the end, or refuse the message. None: rules skip every class, nobody was asked."""
    transaction = c.transaction
    transaction.verdict = verdict
    judgement, ruling = _judged(c, transaction, verdict)
    transaction.rule_id = judgement.rule_id
    transaction.sanctions = ruling.sanctions
    c.transaction = Transaction()
    c.progress += 1
    if judgement.refusal is None:
        c.outbox.send_upstream(END_OF_CHUNKS if transaction.chunked else TERMINATOR)
        c.ledger.await_reply(Awaited(Expect.END, transaction=transaction))
        c.go(Cause.RELEASED)
        return
    c.end_transaction(transaction, judgement.disposition, judgement.refusal.code)
    if transaction.chunked:  # upstream can take chunks back, and the session goes on
        c.answer(judgement.refusal)
        c.reset_upstream()
        c.go(Cause.REFUSED)
    else:
        c.take_over(judgement.refusal)


def found_by(verdict: Verdict) -> tuple[str, ...]:
    """``engine:name`` of everything that is not clean, as rules spell it."""
    return tuple(
        f"{each.engine}:{each.name}"
        for each in verdict.findings
        if each.kind is not VerdictKind.CLEAN
    )


def _judged(
    c: Conversation, transaction: Transaction, verdict: Verdict | None
) -> tuple[Judgement, Ruling]:
    facts = c.facts
    if verdict is not None:
        facts.verdict, facts.score = verdict.kind, verdict.score
        facts.found = found_by(verdict)
    facts.size_octets = transaction.content_octets
    ruling = judge(c, RulePhase.CONTENT)
    facts.verdict, facts.score, facts.found = None, 0.0, ()  # of this message, not the next
    judgement = judge_content(
        c.rulebook,
        ruling,
        verdict,
        skipped=transaction.skip | ruling.skip,
        locked=c.locked,
        oversized=transaction.oversized,
    )
    return judgement, ruling
