"""Content behind DATA on its way upstream and to the scanner (RFC 5321 §4.1.1.4).

Where it is configured and the server offers CHUNKING it goes upstream as BDAT (RFC 3030): what
the scanner gets, unstuffed, slice by slice. The server's answers to these chunks are ours. So a
message can be taken back by RSET, and the session goes on.
"""

from edge_proxy.relay import refusals
from edge_proxy.relay.asking import ask_data, is_asked_about_content
from edge_proxy.relay.chunks import end_chunks
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.facts import CloseCause
from edge_proxy.relay.judgement import refusal_of
from edge_proxy.relay.ledger import Awaited, Expect
from edge_proxy.relay.message import begin_message, feed, over_size, refuse_over_size
from edge_proxy.relay.phases import Cause
from edge_proxy.relay.refusals import Refusal
from edge_proxy.relay.rules import judge
from edge_proxy.relay.verdict import finish_scan, hold_end
from edge_proxy.smtp.chunks import Chunk
from edge_proxy.smtp.commands import Command
from edge_proxy.smtp.content import DotStuffedReader
from edge_proxy.smtp.header_filter import HeaderFilter
from edge_proxy.smtp.verbs import Verb
from rulebook.values import Phase as RulePhase
from smtpgated_contracts.values.scan import EngineClass


def begin_content(c: Conversation, skip: frozenset[EngineClass]) -> None:
    """The server, or we in its place, said 354: what comes now is content."""
    begin_message(c, skip)
    c.reader = DotStuffedReader(allows_bare_lf=c.settings.allows_bare_lf)
    spoofed = c.settings.spoofed_header
    c.header_filter = HeaderFilter(spoofed) if spoofed else None
    _send(c, c.trace_header, c.trace_header)
    c.go(Cause.GO_AHEAD)


def begin_data(c: Conversation) -> None:
    """DATA that waits until everything before it is answered: then the envelope is known."""
    if c.ledger.awaits or c.data is None:
        return
    data, c.data = c.data, None
    ruling = judge(c, RulePhase.DATA)

    def decided(refusal: Refusal | None) -> None:
        if refusal is not None:
            c.go(Cause.ANSWERED)
            c.refuse_command(refusal)
        else:
            _let_content_follow(c, data, ruling.skip)

    refusal = refusal_of(ruling)
    if refusal is None and is_asked_about_content(c):
        ask_data(c, Verb.DATA, decided)
    else:
        decided(refusal)


def _let_content_follow(c: Conversation, data: Command, skip: frozenset[EngineClass]) -> None:
    transaction = c.transaction
    as_chunks = c.settings.content_as_chunks and c.takes_chunks and not transaction.binary
    if as_chunks and transaction.open and transaction.recipients:
        c.answer(refusals.GO_AHEAD)
        transaction.chunked = transaction.by_data = True
        begin_content(c, skip)
    else:  # the server's to accept, or to refuse in its own words
        c.relay(data.line, Awaited(Expect.DATA, skip=skip), Cause.DATA_ASKED)


def read_content(c: Conversation) -> bool:
    """Relay and feed what came; at the terminator hold it and ask for the verdict."""
    if not len(c.inbox) or len(c.ledger) >= c.settings.max_owed_replies:
        return False
    wire, content, rest = c.reader.read(_taken(c))
    c.progress += 1
    if over_size(c, len(content)):
        c.early_answer = c.answer_of(refusals.OVER_SIZE)
        refuse_over_size(c)
        doom_content(c)
        return rest is not None and _told_at_the_end(c, rest)
    _send(c, wire, content)
    feed(c, content)
    if rest is None:
        return False
    c.inbox.feed(rest)
    finish_scan(c)
    if c.transaction.chunked:
        c.chunk = Chunk(0, last=True)
        c.go(Cause.CHUNKS_ENDED)
        end_chunks(c)
    else:
        hold_end(c)
    return True


def _send(c: Conversation, wire: bytes, content: bytes) -> None:
    if not c.transaction.chunked:
        c.outbox.send_upstream(wire)
    elif content and not c.transaction.failed:
        c.outbox.send_upstream(b"BDAT %d\r\n%b" % (len(content), content))
        c.ledger.await_reply(Awaited(Expect.OUR_CHUNK, transaction=c.transaction))


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
    c.ledger.give_up(b"")  # answers to chunks of ours
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
