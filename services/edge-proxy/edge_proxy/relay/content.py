"""Content behind DATA on its way upstream and to the scanner (RFC 5321 §4.1.1.4)."""

from edge_proxy.relay import refusals
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.facts import CloseCause
from edge_proxy.relay.message import begin_message, feed, over_size, refuse_over_size
from edge_proxy.relay.phases import Cause
from edge_proxy.relay.verdict import finish_scan, hold_end
from edge_proxy.smtp.content import DotStuffedReader
from edge_proxy.smtp.header_filter import HeaderFilter
from smtpgated_contracts.values.scan import EngineClass


def begin_content(c: Conversation, skip: frozenset[EngineClass]) -> None:
    """The server said 354: what comes now is content."""
    begin_message(c, skip)
    c.reader = DotStuffedReader()
    spoofed = c.settings.spoofed_header
    c.header_filter = HeaderFilter(spoofed) if spoofed else None
    c.outbox.send_upstream(c.trace_header)
    c.go(Cause.GO_AHEAD)


def read_content(c: Conversation) -> bool:
    """Relay and feed what came; at the terminator hold it and ask for the verdict."""
    if not len(c.inbox):
        return False
    wire, content, rest = c.reader.read(_taken(c))
    c.progress += 1
    if over_size(c, len(content)):
        c.early_answer = c.answer_of(refusals.OVER_SIZE)
        refuse_over_size(c)
        doom_content(c)
        return rest is not None and _told_at_the_end(c, rest)
    c.outbox.send_upstream(wire)
    feed(c, content)
    if rest is None:
        return False
    c.inbox.feed(rest)
    finish_scan(c)
    hold_end(c)
    return True


def read_discard(c: Conversation) -> bool:
    """Content without a server: find its end, so that the client can be told in its turn."""
    if not len(c.inbox):
        return False
    c.to_skip += len(c.inbox)
    rest = c.reader.read(_taken(c)).rest
    c.progress += 1
    if rest is not None:
        return _told_at_the_end(c, rest)
    if c.to_skip > c.settings.max_skipped:
        c.close(CloseCause.VIOLATION, refusals.TOO_MUCH_SKIPPED)
    return False


def doom_content(c: Conversation) -> None:
    """Nothing of the rest is relayed or scanned: upstream is gone, or given up here."""
    c.abandon_transaction(c.content_answer.code)
    c.abort_upstream("the message was given up in its middle")
    c.to_skip = 0
    c.go(Cause.DOOMED)


def _taken(c: Conversation) -> bytes:
    """What came, less the header fields that no client may bring."""
    octets = c.inbox.take_all()
    if c.header_filter is None:
        return octets
    octets = c.header_filter.passed(octets)
    if c.header_filter.over:
        c.header_filter = None
    return octets


def _told_at_the_end(c: Conversation, rest: bytes) -> bool:
    c.inbox.feed(rest)
    c.take_over_from_lost_server()
    return True
