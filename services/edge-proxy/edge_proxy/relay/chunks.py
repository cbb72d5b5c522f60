"""Content in chunks (BDAT, RFC 3030 §2): relayed as it comes, its end held like any other.

The first chunk waits until MAIL and RCPT are answered: then the envelope is known, and nothing
is ever sent to a server that cannot be expecting it. From there on chunks flow without waiting.
``BDAT n LAST`` goes upstream as ``BDAT n``; its positive answer is kept from the client, which
is told what the server says to our ``BDAT 0 LAST``, once the verdict allows that.

A chunk's octets are consumed whatever happens: taken for commands, they would be smuggled mail.
"""

from edge_proxy.relay import refusals
from edge_proxy.relay.asking import ask_data, is_asked_about_content
from edge_proxy.relay.conversation import Answer, Conversation
from edge_proxy.relay.facts import CloseCause
from edge_proxy.relay.judgement import refusal_of
from edge_proxy.relay.ledger import Awaited, Expect
from edge_proxy.relay.message import (
    begin_message,
    feed,
    number_message,
    over_size,
    refuse_over_size,
)
from edge_proxy.relay.phases import Cause, Phase
from edge_proxy.relay.refusals import Refusal
from edge_proxy.relay.rules import judge
from edge_proxy.relay.transaction import Transaction
from edge_proxy.relay.verdict import finish_scan, hold_end
from edge_proxy.smtp.chunks import Chunk, parse_chunk
from edge_proxy.smtp.commands import Command
from edge_proxy.smtp.line_ends import LineEnds
from edge_proxy.smtp.replies import Reply
from edge_proxy.smtp.verbs import Verb
from rulebook.values import Phase as RulePhase
from smtpgated_contracts.values.policy import Disposition


def chunk_came(c: Conversation, command: Command) -> None:
    """Raises Violation when the size is none."""
    c.chunk = parse_chunk(command.argument)
    if not c.chunking:
        _refuse(c, refusals.UNKNOWN_COMMAND)
    elif c.chunk.size > c.settings.max_chunk:
        c.close(CloseCause.VIOLATION, refusals.CHUNK_TOO_LARGE)
    elif c.transaction.ordinal:
        _relay(c, c.chunk)
    else:
        c.go(Cause.CHUNK_CAME)
        begin_chunks(c)


def begin_chunks(c: Conversation) -> None:
    """The first chunk, once everything before it is answered; until then it waits."""
    if c.ledger.awaits:
        return
    ruling = judge(c, RulePhase.DATA)
    fits = not over_size(c, c.chunk.size)

    def decided(refusal: Refusal | None) -> None:
        if refusal is not None:
            _refuse(c, refusal)
            return
        if fits:
            begin_message(c, ruling.skip)
            c.transaction.chunked = True
            c.line_ends = LineEnds(allows_bare_lf=c.settings.allows_bare_lf)
        else:
            number_message(c)
        _relay(c, c.chunk, c.trace_header)

    refusal = refusal_of(ruling) if c.transaction.open else refusals.NO_TRANSACTION
    if refusal is None and fits and is_asked_about_content(c):
        ask_data(c, Verb.BDAT, decided)
    else:
        decided(refusal)


def read_chunk(c: Conversation) -> bool:
    """Relay and feed what came of the chunk. Only BINARYMIME has octets that are no lines.

    Raises Violation for content that a server would mend.
    """
    octets = c.inbox.take(c.to_pass)
    if octets:
        if not c.transaction.binary:
            c.line_ends.check(octets)
        c.progress += 1
        c.to_pass -= len(octets)
        c.outbox.send_upstream(octets)
        feed(c, octets)
    if c.to_pass:
        return False
    if c.chunk.last:
        c.go(Cause.CHUNKS_ENDED)
        finish_scan(c)
        end_chunks(c)
    else:
        c.go(Cause.CHUNK_ENDED)
    return True


def read_skip(c: Conversation) -> bool:
    """The octets of a chunk that nobody will get."""
    skipped = c.inbox.skip(c.to_skip)
    c.to_skip -= skipped
    c.progress += skipped
    if c.to_skip:
        return False
    c.go(Cause.SKIPPED if c.upstream_open else Cause.TAKEN_OVER)
    return True


def chunk_answered(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    """A refusal is the end of the message, not of its chunks: the server refuses those, too."""
    assert awaited.transaction is not None, "a chunk of no message"
    if not reply.is_positive:
        c.give_up_message(awaited.transaction, Disposition.ABANDONED, reply.code)
    if awaited.expect is Expect.CHUNK:  # else the client has not asked for this one's answer
        c.outbox.send_downstream(reply.octets)
    elif not reply.is_positive:
        c.early_answer = c.early_answer or Answer(reply.code, reply.octets)


def end_chunks(c: Conversation) -> None:
    """The last chunk is upstream: once all are answered, hold the end, or say why there is none.

    A message that lost a chunk is never ended, even if the server would take it.
    """
    if c.ledger.awaits:
        return
    if c.transaction.failed:
        _answer_last(c, refusals.CHUNK_BEFORE_REFUSED)
        _end_failed(c)
    else:
        hold_end(c)


def _end_failed(c: Conversation) -> None:
    """By BDAT it is for the client to reset; DATA that failed has ended its transaction."""
    if c.transaction.by_data:
        c.transaction = Transaction()
        c.reset_upstream()
        c.go(Cause.REFUSED)
    else:
        c.go(Cause.CHUNKS_FAILED)


def doom_chunks(c: Conversation) -> None:
    """Upstream is gone: what it owes is answered by us, the rest of the chunk is read away."""
    c.abandon_transaction(c.content_answer.code)
    c.abort_upstream("the message was given up in its middle")
    last_is_owed = c.chunk.last and not c.ledger.owes(Expect.LAST_CHUNK)
    lost = c.answer_of(refusals.SERVER_LOST_IN_CONTENT)
    c.outbox.send_downstream(c.ledger.give_up(lost.octets))
    if last_is_owed:
        _answer_last(c, refusals.SERVER_LOST_IN_CONTENT)
    c.to_skip = c.to_pass
    c.go(Cause.DOOMED)


def _relay(c: Conversation, chunk: Chunk, ours: bytes = b"") -> None:
    """``ours`` is what we put before the octets of the first chunk."""
    if over_size(c, chunk.size):
        refuse_over_size(c)
        _refuse(c, refusals.OVER_SIZE)
        if c.phase is not Phase.CLOSED:
            c.reset_upstream()
        return
    size = len(ours) + chunk.size
    if size or not chunk.last:
        c.outbox.send_upstream(b"BDAT %d\r\n%b" % (size, ours))
        expect = Expect.LAST_CHUNK if chunk.last else Expect.CHUNK
        c.ledger.await_reply(Awaited(expect, transaction=c.transaction))
    c.to_pass = chunk.size
    c.go(Cause.CHUNK_BEGUN)


def _refuse(c: Conversation, refusal: Refusal) -> None:
    """Answer the chunk ourselves, and read its octets away."""
    if c.chunk.size > c.settings.max_skipped:
        c.close(CloseCause.VIOLATION, refusals.TOO_MUCH_SKIPPED)
        return
    c.refuse_command(refusal)
    if c.phase is not Phase.CLOSED:  # or that was one refusal too many
        c.to_skip = c.chunk.size
        c.go(Cause.SKIP_BEGUN)


def _answer_last(c: Conversation, refusal: Refusal) -> None:
    """What the server said to the last chunk, or what we have to say."""
    answer, c.early_answer = c.early_answer or c.answer_of(refusal), None
    c.outbox.send_downstream(answer.octets)
