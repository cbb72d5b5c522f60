"""What the client says, command by command.

A reader takes what it understands from the inbox and returns True, or returns False when it
needs more octets; it raises ``Violation`` when there is no going on. ``COMMANDS`` says what is
done for each verb; what is not relayed is answered here, in its turn, through the ledger.
"""

from collections.abc import Callable, Mapping
from typing import Final

from edge_proxy.relay import refusals
from edge_proxy.relay.actions import Note
from edge_proxy.relay.asking import ask_mail, is_asked_about_mail, is_content_counted
from edge_proxy.relay.chunks import chunk_came
from edge_proxy.relay.content import begin_data
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.facts import CloseCause, Denied
from edge_proxy.relay.introduction import NEEDS_NO_INTRODUCTION, introduce
from edge_proxy.relay.judgement import refusal_of
from edge_proxy.relay.ledger import Awaited, Expect
from edge_proxy.relay.phases import Cause
from edge_proxy.relay.refusals import Refusal
from edge_proxy.relay.rules import judge
from edge_proxy.relay.transaction import Transaction
from edge_proxy.smtp.commands import Command, parse_command
from edge_proxy.smtp.limits import AUTH_LINE, COMMAND_LINE
from edge_proxy.smtp.paths import parse_path
from edge_proxy.smtp.sasl import Claim
from edge_proxy.smtp.sizes import declared_size, without_size
from edge_proxy.smtp.verbs import FOREIGN_PROTOCOL, Verb
from rulebook.values import Phase as RulePhase
from rulebook.values import Ruling, TlsTreatment


def read_command(c: Conversation) -> bool:
    if len(c.ledger) >= c.settings.max_owed_replies:
        return False
    line = c.inbox.take_line(AUTH_LINE)
    if line is None:
        return False
    c.progress += 1
    command = parse_command(line)
    if len(line) > COMMAND_LINE and command.verb is not Verb.AUTH:
        c.refuse_command(refusals.LINE_TOO_LONG)
    elif (
        c.settings.xclient and not c.introduced and command.verb not in NEEDS_NO_INTRODUCTION
    ):  # to the server it would be us who ask
        c.refuse_command(refusals.HELLO_FIRST)
    else:
        COMMANDS[command.verb](c, command)
    return True


def read_dialogue(c: Conversation) -> bool:
    """One line of an AUTH exchange: relayed, and nothing of it kept but a name (RFC 4954 §4)."""
    line = c.inbox.take_line(AUTH_LINE)
    if line is None:
        return False
    c.progress += 1
    if c.claim is not None:
        c.claim.said(line)
    c.relay(line, Awaited(Expect.AUTH), Cause.ASKED)
    return True


def read_before_tls(c: Conversation) -> bool:
    """Plaintext after STARTTLS would be commands inside TLS for some servers (RFC 3207 §4.2)."""
    if len(c.inbox):
        c.note_violation("plaintext after STARTTLS", upstream=False)
        c.close(CloseCause.VIOLATION, refusals.PLAINTEXT_BEFORE_TLS)
    return False


def read_takeover(c: Conversation) -> bool:
    """After upstream was given up: only what needs no server is answered, then 421."""
    line = c.inbox.take_line(AUTH_LINE)
    if line is None:
        return False
    c.progress += 1
    verb = parse_command(line).verb
    if verb is Verb.QUIT:
        c.answer(refusals.GOODBYE)
        c.close_politely(CloseCause.QUIT)
    elif verb in (Verb.RSET, Verb.NOOP):
        c.refuse_command(refusals.DONE)
    else:
        c.close(CloseCause.CONTENT, refusals.TAKEN_OVER)
    return True


def _admitted(c: Conversation, phase: RulePhase) -> Ruling | None:
    """Ask the rules of ``phase``; None: one of them refused the command, and it is answered."""
    ruling = judge(c, phase)
    refusal = refusal_of(ruling)
    if refusal is None:
        return ruling
    c.refuse_command(refusal)
    return None


def _relay(c: Conversation, command: Command) -> None:
    c.relay(command.line, Awaited(Expect.OTHER))


def _hello(c: Conversation, command: Command) -> None:
    c.facts.helo = c.record.helo = command.argument
    if _admitted(c, RulePhase.HELO) is None:
        return
    if c.settings.xclient and not c.introduced:
        introduce(c, command)
    else:
        expect = Expect.EHLO if command.verb is Verb.EHLO else Expect.HELO
        c.relay(command.line, Awaited(expect), Cause.ASKED)


def _mail(c: Conversation, command: Command) -> None:
    path = parse_path(command.argument, b"FROM")
    if path is None:
        c.refuse_command(refusals.MALFORMED_ADDRESS)
        return
    if _is_turned_away(c, command):
        return
    c.record.reverse_path = path
    transaction = Transaction(path, begun=True, declared_octets=declared_size(command.argument))
    if not is_asked_about_mail(c):
        _propose(c, command, transaction)
        return

    def decided(refusal: Refusal | None) -> None:
        if refusal is not None:
            c.refuse_command(refusal)
            c.record.refuse(Verb.MAIL, path, 0)
        elif not _is_turned_away(c, command):  # much may have happened meanwhile
            _propose(c, command, transaction)

    ask_mail(c, transaction, decided)


def _is_turned_away(c: Conversation, command: Command) -> bool:
    """Whether MAIL is not wanted now, whatever rules say; then it is answered."""
    if c.draining:
        c.farewell = True
        c.answer(refusals.DRAINING)
        return True
    refusal = _mail_refusal(c, command)
    if refusal is None:
        return False
    c.refuse_command(refusal)
    return True


def _mail_refusal(c: Conversation, command: Command) -> Refusal | None:
    if c.locked:
        return refusals.SENDER_LOCKED
    if c.requires_auth and not c.facts.authenticated:
        c.outbox.ask(Note(Denied(Verb.MAIL, "lock:require-auth", refusals.AUTH_REQUIRED.code)))
        return refusals.AUTH_REQUIRED
    limit = c.settings.size_limit_octets
    if limit and declared_size(command.argument) > limit:
        return refusals.OVER_SIZE
    if c.settings.most_mails and c.mails >= c.settings.most_mails:
        return refusals.TOO_MANY_MAILS
    return None


def _propose(c: Conversation, command: Command, transaction: Transaction) -> None:
    """Ask the rules; then it is the server's to accept the transaction."""
    # After a second MAIL, which is an error, rules could not tell which of the two holds.
    doubtful = c.asked_last.begun
    earlier, c.proposed = c.proposed, transaction
    ruling = _admitted(c, RulePhase.MAIL)
    if ruling is None:
        c.proposed = earlier
        c.record.refuse(Verb.MAIL, transaction.reverse_path, 0)
        return
    transaction.skip = ruling.skip
    transaction.binary = b"BODY=BINARYMIME" in command.argument.upper()
    c.mails += 1
    c.recipients_asked = 0
    undeclared = c.settings.size_limit_octets and not c.offers_size
    line = without_size(command.line) if undeclared else command.line
    awaited = Awaited(Expect.MAIL, transaction=transaction)
    c.relay(line, awaited, Cause.ASKED if doubtful else None)


def _rcpt(c: Conversation, command: Command) -> None:
    path = parse_path(command.argument, b"TO")
    if path is None:
        c.refuse_command(refusals.MALFORMED_ADDRESS)
        return
    if c.settings.most_recipients and c.recipients_asked >= c.settings.most_recipients:
        c.refuse_command(refusals.TOO_MANY_RECIPIENTS)
        return
    transaction = c.asked_last
    if transaction.room is not None and transaction.room <= 0:
        c.outbox.ask(Note(Denied(Verb.RCPT, "limit:recipients", refusals.TOO_MANY_RECIPIENTS.code)))
        c.refuse_command(refusals.TOO_MANY_RECIPIENTS)
        return
    earlier, transaction.recipient = transaction.recipient, path
    ruling = _admitted(c, RulePhase.RCPT)
    if ruling is None:
        transaction.recipient = earlier
        c.record.refuse(Verb.RCPT, path, 0)
    else:
        c.recipients_asked += 1
        if transaction.room is not None:
            transaction.room -= 1
        c.relay(command.line, Awaited(Expect.RCPT, path, transaction, ruling.skip))


def _content_follows(c: Conversation, command: Command) -> None:
    if c.transaction.ordinal:  # RFC 3030 §2: not both in one transaction
        c.refuse_command(refusals.DATA_AMONG_CHUNKS)
        return
    if is_content_counted(c) or (c.settings.content_as_chunks and c.takes_chunks):
        c.data = command
        c.go(Cause.CHUNK_CAME)
        begin_data(c)
        return
    ruling = _admitted(c, RulePhase.DATA)
    if ruling is not None:
        c.relay(command.line, Awaited(Expect.DATA, skip=ruling.skip), Cause.DATA_ASKED)


def _reset(c: Conversation, command: Command) -> None:
    c.proposed = Transaction()
    c.relay(command.line, Awaited(Expect.RSET, transaction=c.proposed))


def _authenticate(c: Conversation, command: Command) -> None:
    if _admitted(c, RulePhase.AUTH) is not None:
        c.claim = Claim(command.argument)
        c.relay(command.line, Awaited(Expect.AUTH), Cause.ASKED)


def _start_tls(c: Conversation, command: Command) -> None:
    if c.locked:  # refused alone, many a client would go on in the clear
        c.close(CloseCause.LOCK, refusals.CUT_BY_LOCK)
        return
    if c.starttls is not TlsTreatment.TUNNEL:
        c.refuse_command(refusals.TLS_REFUSED)
        return
    c.relay(command.line, Awaited(Expect.STARTTLS), Cause.TLS_ASKED)


def _quit(c: Conversation, command: Command) -> None:
    c.relay(command.line, Awaited(Expect.QUIT), Cause.ASKED)


def _unknown(c: Conversation, command: Command) -> None:
    if command.word in FOREIGN_PROTOCOL:
        c.note_violation("another protocol", upstream=False)
        c.close(CloseCause.VIOLATION, refusals.NOT_SMTP)
    else:
        c.refuse_command(refusals.UNKNOWN_COMMAND)


COMMANDS: Final[Mapping[Verb, Callable[[Conversation, Command], None]]] = {
    Verb.HELO: _hello,
    Verb.EHLO: _hello,
    Verb.MAIL: _mail,
    Verb.RCPT: _rcpt,
    Verb.DATA: _content_follows,
    Verb.BDAT: chunk_came,
    Verb.RSET: _reset,
    Verb.NOOP: _relay,
    Verb.QUIT: _quit,
    Verb.VRFY: _relay,
    Verb.EXPN: _relay,
    Verb.HELP: _relay,
    Verb.ETRN: _relay,
    Verb.AUTH: _authenticate,
    Verb.STARTTLS: _start_tls,
    Verb.OTHER: _unknown,
}
