"""The state of one session, and the few ways in which it may change.

``downstream``, ``content`` and ``upstream`` decide; here is what they decide about: the phase,
the ledger, the inboxes, the transaction, and what was asked for (``outbox``).
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from edge_proxy.relay import refusals
from edge_proxy.relay.actions import (
    AbandonScan,
    AbortUpstream,
    CloseDownstream,
    CloseUpstream,
    Loss,
    Note,
)
from edge_proxy.relay.facts import (
    CloseCause,
    SessionRecord,
    TransactionEnded,
    ViolationSeen,
)
from edge_proxy.relay.ledger import Awaited, Expect, ReplyLedger
from edge_proxy.relay.outbox import Outbox
from edge_proxy.relay.phases import TRANSITIONS, Cause, Phase
from edge_proxy.relay.refusals import Refusal
from edge_proxy.relay.settings import CoreSettings
from edge_proxy.relay.transaction import Transaction
from edge_proxy.smtp.chunks import Chunk
from edge_proxy.smtp.commands import Command
from edge_proxy.smtp.content import DotStuffedReader
from edge_proxy.smtp.header_filter import HeaderFilter
from edge_proxy.smtp.line_ends import LineEnds
from edge_proxy.smtp.lines import Inbox
from edge_proxy.smtp.replies import ReplyReader
from edge_proxy.smtp.sasl import Claim
from rulebook.values import Facts, Per, Rulebook, TlsTreatment
from smtpgated_contracts.values.mail import Envelope, SessionRef
from smtpgated_contracts.values.policy import Decision, Disposition
from smtpgated_contracts.values.scan import EngineClass

_OF_THE_SOURCE: Final = frozenset({Per.SOURCE, Per.IDENTITY})
"""What counts a source for itself, and so never an exempt one."""


def is_counted(rulebook: Rulebook, source: str) -> bool:
    """Whether any rate has to do with a session from this address."""
    if not rulebook.exempt.covers(source):
        return True
    return any(rate.per not in _OF_THE_SOURCE for rate in rulebook.rates)


class Answer(NamedTuple):
    """One reply to the client, whoever wrote it."""

    code: int
    octets: bytes


class Conversation:
    """Everything the core knows of one session. One owner, one thread."""

    __slots__ = (
        "auth_skip",
        "auth_unread",
        "chunk",
        "chunking",
        "claim",
        "data",
        "draining",
        "early_answer",
        "ended",
        "enhanced",
        "facts",
        "farewell",
        "header_filter",
        "held_reply",
        "hello",
        "inbox",
        "introduced",
        "introduction",
        "is_counted",
        "ledger",
        "line_ends",
        "locked",
        "lost",
        "mails",
        "offers_size",
        "outbox",
        "phase",
        "profiles",
        "progress",
        "proposed",
        "reader",
        "recipients_asked",
        "record",
        "refused_commands",
        "replies",
        "requires_auth",
        "rulebook",
        "session_skip",
        "settings",
        "source",
        "spared",
        "starttls",
        "takes_chunks",
        "to_pass",
        "to_skip",
        "trace_header",
        "transaction",
        "transactions",
        "upstream_open",
        "when_decided",
    )

    def __init__(self, settings: CoreSettings, session: SessionRef, rulebook: Rulebook) -> None:
        self.settings = settings
        self.rulebook = rulebook
        self.source = session.source
        self.facts = Facts(
            source=session.source.address,
            destination=session.original_destination.address,
            destination_port=session.original_destination.port,
            identity=session.identity,
        )
        self.record = SessionRecord()
        self.phase = Phase.POLICY
        self.progress = 0
        self.inbox = Inbox()
        self.replies = ReplyReader()
        self.ledger = ReplyLedger()
        self.ledger.await_reply(Awaited(Expect.GREETING))
        self.outbox = Outbox()
        self.transaction = Transaction()
        self.proposed: Transaction | None = None  # by the last MAIL or RSET, while unanswered
        self.mails = 0
        self.recipients_asked = 0  # since the last MAIL, whatever became of that
        self.reader = DotStuffedReader()
        self.line_ends = LineEnds(allows_bare_lf=settings.allows_bare_lf)  # of chunks
        self.header_filter: HeaderFilter | None = None
        self.transactions = 0
        self.trace_header = b""
        self.data: Command | None = None  # while it waits for the envelope
        self.chunk = Chunk(0, last=False)
        self.to_pass = self.to_skip = 0  # octets of that chunk still to come
        self.held_reply = b""
        self.early_answer: Answer | None = None
        self.hello: Command | None = None  # the client's own, while the server is told whose
        self.introduction: list[bytes] = []
        self.introduced = False
        self.refused_commands = 0
        self.upstream_open = False
        self.lost: Loss | None = None
        self.farewell = False
        self.enhanced = True
        self.takes_chunks = False  # the server offered CHUNKING
        self.chunking = False  # and so did we
        self.offers_size = False
        self.locked = self.requires_auth = False  # by a lock that refuses, by a milder one
        self.draining = False
        self.ended = False
        self.session_skip: frozenset[EngineClass] = frozenset()  # for every message
        self.auth_skip: frozenset[EngineClass] = frozenset()  # once AUTH has succeeded
        self.auth_unread = False  # likewise: nothing is read any more
        self.claim: Claim | None = None  # of the AUTH exchange under way
        self.is_counted = bool(rulebook.rates) and is_counted(rulebook, session.source.address)
        self.profiles: tuple[str, ...] = ()  # whose rates apply
        self.when_decided: Callable[[Decision], None] | None = None  # while policy is asked
        self.spared: frozenset[EngineClass] = frozenset()  # while the load is what it is
        self.starttls: TlsTreatment = rulebook.starttls

    # Phases

    def go(self, cause: Cause) -> None:
        """Change the phase; a transition that is not in the table is a bug of ours."""
        self.phase = TRANSITIONS[self.phase, cause]

    # Answers

    def answer(self, refusal: Refusal) -> None:
        """Say something of our own, behind whatever upstream still owes."""
        self.outbox.send_downstream(self.ledger.owe(self._rendered(refusal)))

    def refuse_command(self, refusal: Refusal) -> None:
        """Answer a command ourselves; too many of these end the session."""
        self.refused_commands += 1
        if self.refused_commands > self.settings.max_refused_commands:
            self.close(CloseCause.VIOLATION, refusals.TOO_MANY_ERRORS)
        else:
            self.answer(refusal)

    def relay(self, line: bytes, awaited: Awaited, cause: Cause | None = None) -> None:
        """Pass a command on and note that its answer is owed.

        ``cause``: what makes it the last of its group. Between two chunks every command is: it
        may end the message, and whether it did must be known before the next chunk is sent.
        """
        self.outbox.send_upstream(line)
        self.ledger.await_reply(awaited)
        if cause is None and self.transaction.ordinal:
            cause = Cause.ASKED
        if cause is not None:
            self.go(cause)

    def reset_upstream(self) -> None:
        """Take back what upstream was given of a message; the client does not hear of it."""
        self.outbox.send_upstream(b"RSET\r\n")
        self.ledger.await_reply(Awaited(Expect.OUR_RESET))

    # Ends

    def close(self, by: CloseCause, last_word: Refusal | None = None, *, detail: str = "") -> None:
        """End the session: a last reply if there is something to say, both links closed.

        The last reply is a 421, a 521 or the like: it answers whatever is still owed first, and
        nothing is owed after it (RFC 5321 §3.8).
        """
        if self.phase is Phase.CLOSED:
            return
        self.record.closed_by = by
        self.record.detail = detail or (last_word.text if last_word else "")
        code = last_word.code if last_word else 0
        for message in self.ledger.unanswered_ends():
            self.end_transaction(message, Disposition.RELEASE, code)
        self.abandon_transaction(code)
        if last_word is not None:
            self.outbox.send_downstream(self._rendered(last_word))
        self.abort_upstream(self.record.detail or by)
        self.outbox.ask(CloseDownstream())
        self.phase = Phase.CLOSED

    def close_politely(self, by: CloseCause) -> None:
        """End a session in which everything is said: pending octets still leave on both sides."""
        self.record.closed_by = by
        self.abandon_transaction(0)  # chunks that no last one followed
        if self.upstream_open:
            self.upstream_open = False
            self.outbox.ask(CloseUpstream())
        self.outbox.ask(CloseDownstream())
        self.phase = Phase.CLOSED

    def abort_upstream(self, why: str) -> None:
        if self.upstream_open:
            self.upstream_open = False
            self.outbox.ask(AbortUpstream(why))

    def take_over(self, refusal: Refusal) -> None:
        """Give upstream up, tell the client, and answer alone from here on."""
        self.abort_upstream(refusal.text)
        self.answer(refusal)
        self.go(Cause.TAKEN_OVER)

    def take_over_from_lost_server(self) -> None:
        """The same when the server left in mid-message: its own last word about it comes first."""
        answer = self.content_answer
        self.abort_upstream("the message was given up in its middle")
        self.outbox.send_downstream(self.ledger.owe(answer.octets))
        self.go(Cause.TAKEN_OVER)

    @property
    def content_answer(self) -> Answer:
        """What the client is, or will be, told of a message given up in its middle."""
        return self.early_answer or self.answer_of(refusals.SERVER_LOST_IN_CONTENT)

    def answer_of(self, refusal: Refusal) -> Answer:
        return Answer(refusal.code, self._rendered(refusal))

    # Transactions

    @property
    def asked_last(self) -> Transaction:
        """What a command that is sent now is about, if all goes as the client hopes."""
        return self.proposed or self.transaction

    def begin_afresh(self, transaction: Transaction | None = None) -> None:
        """The server accepted MAIL, RSET, EHLO or HELO: what was accepted before is void."""
        self.abandon_transaction(0)
        self.transaction = transaction or Transaction()

    def abandon_transaction(self, reply_code: int) -> None:
        """Give up the message under way, if there is one: its end was never sent."""
        given_up, self.transaction = self.transaction, Transaction()
        self.give_up_message(given_up, Disposition.ABANDONED, reply_code)

    def give_up_message(self, given_up: Transaction, why: Disposition, reply_code: int) -> None:
        """Nothing more of it is scanned and no end will be sent; noted once."""
        if given_up.scan is not None:
            self.outbox.ask(AbandonScan(given_up.scan))
            given_up.scan = None
        if given_up.ordinal and not given_up.failed:
            given_up.failed, given_up.open = True, False
            self.end_transaction(given_up, why, reply_code)

    def end_transaction(self, ended: Transaction, disposition: Disposition, code: int) -> None:
        """Note what became of a message. ``code``: what the client was told, 0: nothing."""
        self.record.count_disposition(disposition)
        self.outbox.ask(
            Note(
                TransactionEnded(
                    transaction=ended.ordinal,
                    envelope=self.envelope_of(ended),
                    verdict=ended.verdict,
                    disposition=disposition,
                    reply_code=code,
                    content_octets=ended.content_octets,
                    rule_id=ended.rule_id,
                    sanctions=ended.sanctions,
                    refused=self.record.take_refused(),
                    spent=ended.spent,
                    profiles=self.profiles,
                )
            )
        )

    def envelope_of(self, transaction: Transaction) -> Envelope:
        return Envelope(
            self.facts.helo,
            transaction.reverse_path,
            tuple(transaction.recipients),
            self.facts.authenticated,
            self.facts.auth_user,
        )

    def envelope_without_recipients(self, transaction: Transaction) -> Envelope:
        facts = self.facts
        return Envelope(
            facts.helo, transaction.reverse_path, (), facts.authenticated, facts.auth_user
        )

    def note_violation(self, what: str, *, upstream: bool) -> None:
        self.outbox.ask(Note(ViolationSeen(upstream, what)))

    def _rendered(self, refusal: Refusal) -> bytes:
        return refusals.render(refusal, enhanced=self.enhanced, name=self.settings.reply_name)
