"""One message on its way: it begins, and what comes of it goes to the scanner, up to a limit.

DATA and BDAT are two ways to carry it (``content``, ``chunks``); its end is ``verdict``'s.
"""

from typing import Final

from edge_proxy.relay import refusals
from edge_proxy.relay.actions import AbandonScan, BeginScan, ScanId
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.transaction import Transaction
from rulebook.values import Oversize
from smtpgated_contracts.values.policy import Disposition
from smtpgated_contracts.values.scan import EngineClass

_EVERY_CLASS: Final = frozenset(EngineClass)


def begin_message(c: Conversation, skip: frozenset[EngineClass]) -> None:
    """Content comes next. ``skip`` is what the rules of the data phase said."""
    number_message(c)
    transaction = c.transaction
    transaction.skip |= c.session_skip | skip | c.spared
    c.early_answer = None
    if transaction.skip != _EVERY_CLASS:
        transaction.scan = ScanId(transaction.ordinal)
        c.outbox.ask(
            BeginScan(transaction.scan, transaction.skip, c.rulebook.scanning.profile),
        )
        c.outbox.feed_scan(c.trace_header)  # ours goes first, upstream too: RFC 5321 §4.4


def number_message(c: Conversation) -> None:
    """What is now the session's message has a number, and will have a line in the log."""
    c.transactions += 1
    c.transaction.ordinal = c.transactions


def feed(c: Conversation, content: bytes) -> None:
    """``content`` goes upstream: so it does to the scanner, up to the rulebook's limit."""
    transaction = c.transaction
    room = c.rulebook.scanning.limit_octets - transaction.content_octets
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


def over_size(c: Conversation, more_octets: int) -> bool:
    """Whether so many octets more would make the message larger than we allow."""
    limit = c.settings.size_limit_octets
    return bool(limit) and c.transaction.content_octets + more_octets > limit


def refuse_over_size(c: Conversation) -> Transaction:
    """No more of this message goes anywhere; the transaction that it was."""
    refused, c.transaction = c.transaction, Transaction()
    if not refused.failed:
        refused.rule_id = "size-limit"
    c.give_up_message(refused, Disposition.REFUSE, refusals.OVER_SIZE.code)
    return refused
