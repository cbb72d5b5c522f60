"""Every command a far server knows, as one table (RFC 5321 §4.1).

A command is refused with 503 out of order (§4.1.4), with 502 where its keyword is not
offered, with 501 or 555 where its argument is not to the letter.
"""

from collections.abc import Callable, Mapping
from typing import Final

from lab.far_server.dialogue import Dialogue
from lab.far_server.plan import Moment
from lab.far_server.session_verbs import auth, ehlo, helo, starttls, xclient
from lab.far_server.transaction_verbs import bdat, data, mail, rcpt

Command = Callable[[Dialogue, bytes], None]


def obey(dialogue: Dialogue, line: bytes) -> None:
    """Answer one command line."""
    verb, _, argument = line.partition(b" ")
    command = COMMANDS.get(verb.upper())
    if command is None:
        dialogue.say("500 5.5.1 unknown command")
    else:
        command(dialogue, argument)


def _argument_needed(command: Command) -> Command:
    def checked(dialogue: Dialogue, argument: bytes) -> None:
        if argument.strip():
            command(dialogue, argument)
        else:
            dialogue.say("501 5.5.4 your name is missing")

    return checked


def _rset(dialogue: Dialogue, _argument: bytes) -> None:
    dialogue.meet(Moment.RSET, "250 2.0.0 forgotten", lambda: _forget(dialogue))


def _forget(dialogue: Dialogue) -> None:
    dialogue.transaction = None


def _noop(dialogue: Dialogue, _argument: bytes) -> None:
    dialogue.meet(Moment.NOOP, "250 2.0.0 here")


def _vrfy(dialogue: Dialogue, _argument: bytes) -> None:
    dialogue.meet(Moment.VRFY, "252 2.5.0 try and see")


def _help(dialogue: Dialogue, _argument: bytes) -> None:
    dialogue.meet(Moment.HELP, "214 2.0.0 RFC 5321")


def _quit(dialogue: Dialogue, _argument: bytes) -> None:
    dialogue.record.quit = True
    dialogue.meet(Moment.QUIT, "221 2.0.0 bye", dialogue.close)


COMMANDS: Final[Mapping[bytes, Command]] = {
    b"HELO": _argument_needed(helo),
    b"EHLO": _argument_needed(ehlo),
    b"XCLIENT": xclient,
    b"STARTTLS": starttls,
    b"AUTH": auth,
    b"MAIL": mail,
    b"RCPT": rcpt,
    b"DATA": data,
    b"BDAT": bdat,
    b"RSET": _rset,
    b"NOOP": _noop,
    b"VRFY": _vrfy,
    b"HELP": _help,
    b"QUIT": _quit,
}
