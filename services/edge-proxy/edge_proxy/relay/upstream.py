"""What the server says: each reply settles the ledger's head and may change the phase.

``EXPECTED`` says for every kind of expectation which codes can be an answer at all, and what an
answer means. An unexpected 3xx, a 2xx to DATA, or one but 220 to STARTTLS is never passed on: the
client would take the next step on a permission it does not have.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from edge_proxy.relay import refusals
from edge_proxy.relay.actions import BecomeTunnel, KnowUser, LookDownstream, Note
from edge_proxy.relay.chunks import begin_chunks, chunk_answered, end_chunks
from edge_proxy.relay.content import begin_content, begin_data
from edge_proxy.relay.conversation import Answer, Conversation
from edge_proxy.relay.ehlo import offer
from edge_proxy.relay.facts import CloseCause, Rejected
from edge_proxy.relay.introduction import introduced, server_offered
from edge_proxy.relay.ledger import Awaited, Expect
from edge_proxy.relay.loss import GIVE_UP_MESSAGE
from edge_proxy.relay.phases import Cause, Phase
from edge_proxy.smtp.capabilities import offered
from edge_proxy.smtp.errors import Violation, ViolationKind
from edge_proxy.smtp.limits import REPLY
from edge_proxy.smtp.replies import Reply
from edge_proxy.smtp.verbs import Verb
from smtpgated_contracts.values.policy import Disposition

SERVICE_CLOSING: Final = 421
GO_AHEAD: Final = 354
CHALLENGE: Final = 334
AUTHENTICATED: Final = 235
READY_FOR_TLS: Final = 220
DONE, NOT_NOW, NEVER = 2, 4, 5

_UNREAD: Final = frozenset(
    {Phase.POLICY, Phase.DISCARD, Phase.TAKEOVER, Phase.TUNNEL, Phase.CLOSED}
)


def read_replies(c: Conversation) -> None:
    """Take every whole reply. Raises Violation for what is no reply."""
    if c.phase is Phase.POLICY and len(c.replies) > REPLY:
        raise Violation(ViolationKind.REPLY_TOO_LONG)  # a greeting is all that may wait here
    while c.phase not in _UNREAD:
        reply = c.replies.take_reply()
        if reply is None:
            return
        c.progress += 1
        c.farewell = c.farewell or reply.code == SERVICE_CLOSING
        if c.phase in (Phase.CONTENT, Phase.VERDICT) and not c.ledger.awaits:
            # Nothing is owed now: the server gave up, and says why, or talks nonsense.
            said_why = reply.kind in (NOT_NOW, NEVER)
            c.early_answer = Answer(reply.code, reply.octets) if said_why else None
            GIVE_UP_MESSAGE[c.phase](c)
        else:
            _settle(c, reply)


def _settle(c: Conversation, reply: Reply) -> None:
    awaited = c.ledger.settle()
    if awaited is None:
        _unsolicited(c, reply)
        return
    expected = EXPECTED[awaited.expect]
    if reply.code not in expected.codes and reply.kind not in expected.kinds:
        c.note_violation(f"{reply.code} as answer to {awaited.expect.value}", upstream=True)
        c.close(CloseCause.VIOLATION, refusals.SERVER_VIOLATION)
        return
    expected.take(c, awaited, reply)
    c.outbox.send_downstream(c.ledger.due())
    if not c.ledger.awaits and c.phase in _WHEN_ALL_IS_ANSWERED:
        _WHEN_ALL_IS_ANSWERED[c.phase](c)


_WHEN_ALL_IS_ANSWERED: Final[Mapping[Phase, Callable[[Conversation], None]]] = {
    Phase.AWAIT_REPLY: lambda c: c.go(Cause.ANSWERED),
    Phase.AWAIT_ENVELOPE: lambda c: (begin_chunks if c.data is None else begin_data)(c),
    Phase.AWAIT_CHUNKS: end_chunks,
}
"""Barriers that no single reply lifts."""


def _unsolicited(c: Conversation, reply: Reply) -> None:
    if reply.code == SERVICE_CLOSING:
        c.outbox.send_downstream(reply.octets)
        c.close(CloseCause.SERVER)
    else:
        c.note_violation("a reply to nothing", upstream=True)
        c.close(CloseCause.VIOLATION, refusals.SERVER_VIOLATION)


def _relay(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    c.outbox.send_downstream(reply.octets)


def _greeted(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    _relay(c, awaited, reply)
    c.go(Cause.GREETED)


def _ehlo(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    c.record.helo_refused = not reply.is_positive
    if reply.is_positive:
        c.begin_afresh()  # RFC 5321 §4.1.4: as if RSET
        c.record.offered = offered(reply)
        c.enhanced = b"ENHANCEDSTATUSCODES" in c.record.offered
        c.takes_chunks = b"CHUNKING" in c.record.offered
        c.chunking = c.settings.chunking and c.takes_chunks
        c.offers_size = b"SIZE" in c.record.offered
        c.facts.auth_offered = b"AUTH" in c.record.offered
        c.outbox.send_downstream(offer(reply, c.settings, c.starttls, len(c.trace_header)))
    else:
        _relay(c, awaited, reply)


def _helo(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    c.record.helo_refused = not reply.is_positive
    if reply.is_positive:
        c.begin_afresh()
        c.enhanced = c.takes_chunks = c.chunking = c.offers_size = False
        c.facts.auth_offered = False
    _relay(c, awaited, reply)


def _mail(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    _no_more_proposed(c, awaited)
    if reply.is_positive and awaited.transaction is not None:
        c.begin_afresh(awaited.transaction)
        c.transaction.open = True
    else:
        c.record.mail_rejected += 1
        _count_rejection(c, Verb.MAIL, reply)
        if awaited.transaction is not None:
            c.record.refuse(Verb.MAIL, awaited.transaction.reverse_path, reply.code)
    _relay(c, awaited, reply)


def _rcpt(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    transaction = c.transaction
    if reply.is_positive:
        c.record.recipients += 1
        transaction.skip |= awaited.skip
        if len(transaction.recipients) < c.settings.max_recipients_kept:
            transaction.recipients.append(awaited.address)
    else:
        c.record.rcpt_rejected += 1
        _count_rejection(c, Verb.RCPT, reply)
        if awaited.transaction is not None and awaited.transaction.room is not None:
            awaited.transaction.room += 1
        c.record.refuse(Verb.RCPT, awaited.address, reply.code)
        if transaction.recipient == awaited.address:
            transaction.recipient = transaction.recipients[-1] if transaction.recipients else b""
    _relay(c, awaited, reply)


def _data(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    _relay(c, awaited, reply)
    if reply.code == GO_AHEAD:
        begin_content(c, awaited.skip)
    else:
        c.go(Cause.ANSWERED)


def _end(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    _relay(c, awaited, reply)
    if awaited.transaction is not None:
        c.end_transaction(awaited.transaction, Disposition.RELEASE, reply.code)


def _no_more_proposed(c: Conversation, awaited: Awaited) -> None:
    if c.proposed is awaited.transaction:
        c.proposed = None


def _reset(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    _no_more_proposed(c, awaited)
    if reply.is_positive:
        c.begin_afresh()
    _relay(c, awaited, reply)


def _our_reset(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    """Not reset, the server would take refused chunks for the beginning of the next message."""
    if not reply.is_positive:
        c.note_violation(f"{reply.code} as answer to RSET", upstream=True)
        c.close(CloseCause.VIOLATION, refusals.SERVER_VIOLATION)


def _auth(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    if reply.code == CHALLENGE:
        _relay(c, awaited, reply)
        c.go(Cause.CHALLENGED)
        return
    claim, c.claim = c.claim, None
    if reply.code != AUTHENTICATED:
        _relay(c, awaited, reply)
        c.record.auth_rejected += 1
        _count_rejection(c, Verb.AUTH, reply)
        return
    c.facts.authenticated = True
    c.session_skip |= c.auth_skip
    c.record.auth_accepted += 1
    if claim is not None and claim.name:
        c.facts.auth_user = c.record.auth_user = claim.name
        c.outbox.ask(KnowUser(claim.name))
    if c.auth_unread and not c.locked:
        _leave_unread(c, reply)
    else:
        _relay(c, awaited, reply)


def _leave_unread(c: Conversation, reply: Reply) -> None:
    """A rule trusts who has authenticated. Nobody may have spoken already: it would be lost."""
    if len(c.inbox):
        c.note_violation("commands behind AUTH", upstream=False)
        c.close(CloseCause.VIOLATION, refusals.COMMANDS_BEHIND_AUTH)
    elif len(c.replies):
        c.note_violation("a reply to nothing", upstream=True)
        c.close(CloseCause.VIOLATION, refusals.SERVER_VIOLATION)
    else:
        _become_tunnel(c, reply.octets, Cause.LEFT_UNREAD, is_tls=False)


def _count_rejection(c: Conversation, verb: Verb, reply: Reply) -> None:
    """Only what is refused for good counts: the server that says 4xx may mean it kindly."""
    if reply.kind == NEVER and c.is_counted and c.rulebook.counts_rejections:
        envelope = c.envelope_without_recipients(c.asked_last)
        c.outbox.ask(Note(Rejected(verb, envelope, c.profiles)))


def _start_tls(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    if reply.code != READY_FOR_TLS:
        _relay(c, awaited, reply)
        c.go(Cause.ANSWERED)
    elif len(c.replies):
        c.note_violation("plaintext behind the answer to STARTTLS", upstream=True)
        c.close(CloseCause.VIOLATION, refusals.SERVER_VIOLATION)
    else:
        c.held_reply = reply.octets
        c.outbox.ask(LookDownstream())


def grant_tls(c: Conversation) -> None:
    """Nothing waited downstream: tell the client, and read no octet from here on."""
    _become_tunnel(c, c.held_reply, Cause.TLS_GRANTED, is_tls=True)


def _become_tunnel(c: Conversation, last_reply: bytes, cause: Cause, *, is_tls: bool) -> None:
    c.abandon_transaction(0)
    c.outbox.send_downstream(last_reply)
    c.record.tunnelled = True
    c.go(cause)
    c.outbox.ask(BecomeTunnel(is_tls, c.profiles))


def _quit(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    _relay(c, awaited, reply)
    c.close_politely(CloseCause.QUIT)


class Expectation(NamedTuple):
    """``kinds`` (first digits) and single ``codes`` that can be an answer; what one means."""

    take: Callable[[Conversation, Awaited, Reply], None]
    kinds: frozenset[int] = frozenset({DONE, NOT_NOW, NEVER})
    codes: frozenset[int] = frozenset()


EXPECTED: Final[Mapping[Expect, Expectation]] = {
    Expect.GREETING: Expectation(_greeted),
    Expect.EHLO: Expectation(_ehlo),
    Expect.HELO: Expectation(_helo),
    Expect.MAIL: Expectation(_mail),
    Expect.RCPT: Expectation(_rcpt),
    Expect.DATA: Expectation(_data, frozenset({NOT_NOW, NEVER}), frozenset({GO_AHEAD})),
    Expect.CHUNK: Expectation(chunk_answered),
    Expect.OUR_CHUNK: Expectation(chunk_answered),
    Expect.LAST_CHUNK: Expectation(chunk_answered),
    Expect.END: Expectation(_end),
    Expect.RSET: Expectation(_reset),
    Expect.AUTH: Expectation(_auth, codes=frozenset({CHALLENGE})),
    Expect.STARTTLS: Expectation(
        _start_tls, frozenset({NOT_NOW, NEVER}), frozenset({READY_FOR_TLS})
    ),
    Expect.QUIT: Expectation(_quit),
    Expect.OTHER: Expectation(_relay),
    Expect.OUR_RESET: Expectation(_our_reset),
    Expect.OUR_EHLO: Expectation(server_offered),
    Expect.XCLIENT: Expectation(introduced),
}
