"""What the client says, command by command.

A reader takes what it understands from the inbox and returns True, or returns False when it
needs more octets; it raises ``Violation`` when there is no going on. ``COMMANDS`` says what is
done for each verb; what is not relayed is answered here, in its turn, through the ledger.
"""

from collections.abc import Callable, Mapping
from typing import Final

from edge_proxy.relay import refusals
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.facts import CloseCause
from edge_proxy.relay.ledger import Expect
from edge_proxy.relay.phases import Cause, Phase
from edge_proxy.smtp.chunks import parse_chunk
from edge_proxy.smtp.commands import Command, parse_command
from edge_proxy.smtp.limits import AUTH_LINE, COMMAND_LINE
from edge_proxy.smtp.paths import parse_path
from edge_proxy.smtp.verbs import FOREIGN_PROTOCOL, Verb
from rulebook.values import Action, TlsTreatment
from rulebook.values import Phase as RulePhase


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
    else:
        COMMANDS[command.verb](c, command)
    return True


def read_dialogue(c: Conversation) -> bool:
    """One line of an AUTH exchange: opaque, relayed, never kept (RFC 4954 §4)."""
    line = c.inbox.take_line(AUTH_LINE)
    if line is None:
        return False
    c.progress += 1
    c.relay(line, Expect.AUTH)
    c.go(Cause.ASKED)
    return True


def read_before_tls(c: Conversation) -> bool:
    """Plaintext after STARTTLS would be commands inside TLS for some servers (RFC 3207 §4.2)."""
    if len(c.inbox):
        c.note_violation("plaintext after STARTTLS", upstream=False)
        c.close(CloseCause.VIOLATION, refusals.PLAINTEXT_BEFORE_TLS)
    return False


def read_skip(c: Conversation) -> bool:
    """The octets of a refused BDAT; taken for commands, they would be smuggled mail."""
    skipped = c.inbox.skip(c.to_skip)
    c.to_skip -= skipped
    c.progress += skipped
    if c.to_skip:
        return False
    c.go(Cause.SKIPPED)
    return True


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


def _ruled_out(c: Conversation, phase: RulePhase) -> bool:
    """Ask the rules of ``phase``; whether one of them kept the command from being relayed."""
    ruling = c.judge(phase)
    if ruling.action is Action.REFUSE:
        c.refuse_command(refusals.COMMAND_REFUSED.saying(ruling.reply))
    elif ruling.action is Action.DEFER:
        c.refuse_command(refusals.COMMAND_DEFERRED.saying(ruling.reply))
    else:
        return False
    return True


def _relay(c: Conversation, command: Command) -> None:
    c.relay(command.line, Expect.OTHER)


def _hello(c: Conversation, command: Command) -> None:
    c.facts.helo = c.record.helo = command.argument
    if not _ruled_out(c, RulePhase.HELO):
        c.relay(command.line, Expect.EHLO if command.verb is Verb.EHLO else Expect.HELO)
        c.go(Cause.ASKED)


def _mail(c: Conversation, command: Command) -> None:
    path = parse_path(command.argument, b"FROM")
    if path is None:
        c.refuse_command(refusals.MALFORMED_ADDRESS)
        return
    if c.draining:
        c.farewell = True
        c.answer(refusals.DRAINING)
        return
    if c.locked:
        c.refuse_command(refusals.SENDER_LOCKED)
        return
    c.facts.reverse_path = path
    c.skip = c.session_skip
    if not _ruled_out(c, RulePhase.MAIL):
        c.relay(command.line, Expect.MAIL, path)


def _rcpt(c: Conversation, command: Command) -> None:
    path = parse_path(command.argument, b"TO")
    if path is None:
        c.refuse_command(refusals.MALFORMED_ADDRESS)
        return
    c.facts.recipient = path
    if not _ruled_out(c, RulePhase.RCPT):
        c.relay(command.line, Expect.RCPT, path)


def _content_follows(c: Conversation, command: Command) -> None:
    if not _ruled_out(c, RulePhase.DATA):
        c.relay(command.line, Expect.DATA)
        c.go(Cause.DATA_ASKED)


def _chunk(c: Conversation, command: Command) -> None:
    chunk = parse_chunk(command.argument)
    if chunk.size > c.settings.max_skipped:
        c.close(CloseCause.VIOLATION, refusals.TOO_MUCH_SKIPPED)
        return
    c.refuse_command(refusals.UNKNOWN_COMMAND)
    if chunk.size and c.phase is Phase.COMMAND:  # or that was one refusal too many
        c.to_skip = chunk.size
        c.go(Cause.SKIP_BEGUN)


def _reset(c: Conversation, command: Command) -> None:
    c.relay(command.line, Expect.RSET)


def _authenticate(c: Conversation, command: Command) -> None:
    if not _ruled_out(c, RulePhase.AUTH):
        c.relay(command.line, Expect.AUTH)
        c.go(Cause.ASKED)


def _start_tls(c: Conversation, command: Command) -> None:
    if c.locked:  # refused alone, many a client would go on in the clear
        c.close(CloseCause.LOCK, refusals.CUT_BY_LOCK)
        return
    if c.starttls is not TlsTreatment.TUNNEL:
        c.refuse_command(refusals.TLS_REFUSED)
        return
    c.relay(command.line, Expect.STARTTLS)
    c.go(Cause.TLS_ASKED)


def _quit(c: Conversation, command: Command) -> None:
    c.relay(command.line, Expect.QUIT)
    c.go(Cause.ASKED)


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
    Verb.BDAT: _chunk,
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
