"""Content on its way upstream and to the scanner, and its end, held until the verdict."""

from typing import Final

from edge_proxy.relay import refusals
from edge_proxy.relay.actions import AbandonScan, BeginScan, FinishScan, ScanId
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.facts import CloseCause
from edge_proxy.relay.judgement import Judgement, judge_content
from edge_proxy.relay.ledger import Awaited, Expect
from edge_proxy.relay.phases import Cause
from edge_proxy.relay.transaction import Transaction
from edge_proxy.smtp.content import TERMINATOR, DotStuffedReader
from rulebook.values import Oversize, Ruling
from rulebook.values import Phase as RulePhase
from smtpgated_contracts.values.scan import EngineClass, Verdict, unscanned

_EVERY_CLASS: Final = frozenset(EngineClass)


def begin_content(c: Conversation) -> None:
    """The server said 354: what comes now is content."""
    c.transactions += 1
    transaction = c.transaction
    transaction.ordinal = c.transactions
    c.early_answer = None
    c.reader = DotStuffedReader()
    if c.skip != _EVERY_CLASS:
        transaction.scan = ScanId(transaction.ordinal)
        c.outbox.ask(BeginScan(transaction.scan, c.skip, c.rulebook.scanning.profile))
    c.go(Cause.GO_AHEAD)


def read_content(c: Conversation) -> bool:
    """Relay and feed what came; at the terminator hold it and ask for the verdict."""
    if not len(c.inbox):
        return False
    wire, content, rest = c.reader.read(c.inbox.take_all())
    c.progress += 1
    c.outbox.send_upstream(wire)
    _feed(c, c.transaction, content)
    if rest is None:
        return False
    c.inbox.feed(rest)
    c.go(Cause.CONTENT_ENDED)
    _ask_verdict(c, c.transaction)
    return True


def read_discard(c: Conversation) -> bool:
    """Content without a server: find its end, so that the client can be told in its turn."""
    if not len(c.inbox):
        return False
    octets = c.inbox.take_all()
    rest = c.reader.read(octets).rest
    c.progress += 1
    c.to_skip += len(octets)
    if rest is not None:
        c.inbox.feed(rest)
        c.take_over_from_lost_server()
        return True
    if c.to_skip > c.settings.max_skipped:
        c.close(CloseCause.VIOLATION, refusals.TOO_MUCH_SKIPPED)
    return False


def doom_content(c: Conversation) -> None:
    """Upstream is gone in mid-content: nothing of the rest is relayed or scanned."""
    c.abandon_transaction(c.loss_code)
    c.abort_upstream("lost in content")
    c.to_skip = 0
    c.go(Cause.DOOMED)


def dispose_unheard(c: Conversation) -> None:
    """The scanner's time is up while the end is held: the stances decide."""
    scan = c.transaction.scan
    assert scan is not None, "the end was held for no verdict"
    c.outbox.ask(AbandonScan(scan))
    dispose(c, unscanned("no verdict in time"))


def dispose(c: Conversation, verdict: Verdict | None) -> None:
    """The verdict is here and the end is held: release it, or refuse and take over.

    None: rules skip every class, so nobody was asked.
    """
    transaction = c.transaction
    transaction.verdict, transaction.scan = verdict, None
    judgement, ruling = _judged(c, transaction, verdict)
    transaction.rule_id, transaction.locks = judgement.rule_id, ruling.locks
    c.transaction = Transaction()
    c.progress += 1
    if judgement.refusal is None:
        c.outbox.send_upstream(TERMINATOR)
        c.ledger.await_reply(Awaited(Expect.END, message=transaction))
        c.go(Cause.RELEASED)
    else:
        c.end_transaction(transaction, judgement.disposition, judgement.refusal.code)
        c.take_over(judgement.refusal)


def _judged(
    c: Conversation, transaction: Transaction, verdict: Verdict | None
) -> tuple[Judgement, Ruling]:
    facts = c.facts
    if verdict is not None:
        facts.verdict, facts.score = verdict.kind, verdict.score
    facts.size_octets = transaction.content_octets
    ruling = c.judge(RulePhase.CONTENT)
    facts.verdict, facts.score, facts.size_octets = None, 0.0, 0  # of this message, not the next
    judgement = judge_content(
        c.rulebook,
        ruling,
        verdict,
        skipped=c.skip,
        locked=c.locked,
        oversized=transaction.oversized,
    )
    return judgement, ruling


def give_up_verdict(c: Conversation) -> None:
    """Upstream is gone while the end is held: no verdict could release it any more."""
    c.abandon_transaction(c.loss_code)
    c.take_over_from_lost_server()


def _feed(c: Conversation, transaction: Transaction, content: bytes) -> None:
    limit = c.rulebook.scanning.limit_octets
    room = limit - transaction.content_octets
    transaction.content_octets += len(content)
    if transaction.scan is None or transaction.oversized:
        return
    if len(content) <= room:
        c.outbox.feed_scan(content)
        return
    transaction.oversized = True
    if c.rulebook.scanning.oversize is Oversize.HEAD:
        c.outbox.feed_scan(content[:room])
    else:
        c.outbox.ask(AbandonScan(transaction.scan))
        transaction.scan = None


def _ask_verdict(c: Conversation, transaction: Transaction) -> None:
    if transaction.scan is not None:
        envelope = c.envelope_of(transaction)
        c.outbox.ask(FinishScan(transaction.scan, envelope, transaction.oversized))
        if transaction.verdict is not None:  # the scanner spoke before the end came
            dispose(c, transaction.verdict)
    elif transaction.oversized:
        # what the scanner had found before the limit was reached still counts
        dispose(c, transaction.verdict or unscanned("larger than the scan limit"))
    else:
        dispose(c, None)
