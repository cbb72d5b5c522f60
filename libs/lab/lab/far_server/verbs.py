"""What each command does to a far server's dialogue (RFC 5321 §4.1, 1870, 3030, 3207, 4954).

A command is refused with 503 out of order (§4.1.4), with 502 where its keyword is not
offered, with 501 or 555 where its argument is not to the letter.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from lab.far_server.auth import MECHANISMS, AuthError, Mechanism, challenge, decoded
from lab.far_server.content import Content
from lab.far_server.dialogue import Dialogue, Transaction
from lab.far_server.plan import Moment

Command = Callable[[Dialogue, bytes], None]

_MAIL: Final = re.compile(rb"FROM:<([^<>]*)>((?: [^ ]+)*)", re.IGNORECASE)
_RCPT: Final = re.compile(rb"TO:<([^<>]+)>((?: [^ ]+)*)", re.IGNORECASE)
_SIZE_DIGITS: Final = 20  # RFC 1870 §3
_BDAT: Final = re.compile(rb"(\d{1,10})( LAST)?", re.IGNORECASE)

# Which keyword makes a parameter of MAIL or RCPT legal.
_PARAMETERS: Final[Mapping[bytes, str]] = {
    b"SIZE": "SIZE",
    b"BODY": "8BITMIME",
    b"SMTPUTF8": "SMTPUTF8",
    b"AUTH": "AUTH",
    b"RET": "DSN",
    b"ENVID": "DSN",
    b"NOTIFY": "DSN",
    b"ORCPT": "DSN",
    b"BY": "DELIVERBY",
    b"MT-PRIORITY": "MT-PRIORITY",
    b"REQUIRETLS": "REQUIRETLS",
}


def obey(dialogue: Dialogue, line: bytes) -> None:
    """Answer one command line."""
    verb, _, argument = line.partition(b" ")
    command = COMMANDS.get(verb.upper())
    if command is None:
        dialogue.say("500 5.5.1 unknown command")
    else:
        command(dialogue, argument)


def _helo(dialogue: Dialogue, argument: bytes) -> None:
    dialogue.meet(Moment.HELO, f"250 {dialogue.plan.name}", lambda: _greeted(dialogue, argument))


def _ehlo(dialogue: Dialogue, argument: bytes) -> None:
    lines = [dialogue.plan.name, *dialogue.plan.keywords]
    if dialogue.record.under_tls:
        lines.remove("STARTTLS")
    reply = "\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])
    dialogue.meet(Moment.EHLO, reply, lambda: _greeted(dialogue, argument))


def _argument_needed(command: Command) -> Command:
    def checked(dialogue: Dialogue, argument: bytes) -> None:
        if argument.strip():
            command(dialogue, argument)
        else:
            dialogue.say("501 5.5.4 your name is missing")

    return checked


def _greeted(dialogue: Dialogue, argument: bytes) -> None:
    dialogue.helo = argument
    dialogue.transaction = None


def _starttls(dialogue: Dialogue, argument: bytes) -> None:
    if not dialogue.plan.offers("STARTTLS"):
        dialogue.say("502 5.5.1 not offered")
    elif dialogue.record.under_tls or dialogue.transaction is not None:
        dialogue.say("503 5.5.1 not now")
    elif argument:
        dialogue.say("501 5.5.4 STARTTLS has no argument")
    elif injected := dialogue.take_inbox():
        dialogue.record.behind_starttls = injected
        dialogue.close("503 5.5.1 plaintext behind STARTTLS")
    else:
        dialogue.meet(Moment.STARTTLS, "220 2.0.0 go ahead", lambda: _begin_tls(dialogue))


def _begin_tls(dialogue: Dialogue) -> None:
    dialogue.start_tls()
    dialogue.helo = b""  # RFC 3207 §4.2: what was said before is forgotten


def _auth(dialogue: Dialogue, argument: bytes) -> None:
    name, _, initial = argument.partition(b" ")
    mechanism = MECHANISMS.get(name.upper())
    if not dialogue.plan.offers("AUTH"):
        dialogue.say("502 5.5.1 not offered")
    elif not dialogue.helo or dialogue.record.account or dialogue.transaction is not None:
        dialogue.say("503 5.5.1 not now")
    elif mechanism is None:
        dialogue.say("504 5.5.4 unknown mechanism")
    else:
        try:
            running = mechanism(decoded(initial) if initial else None)
        except AuthError as error:
            dialogue.say(str(error))
        else:
            _ask(dialogue, running, None)


def _ask(dialogue: Dialogue, mechanism: Mechanism, answer: bytes | None) -> None:
    """Give the mechanism an answer (None: start it); go on until it knows who it is."""

    def answered(line: bytes) -> None:
        try:
            _ask(dialogue, mechanism, decoded(line))
        except AuthError as error:
            dialogue.say(str(error))

    try:
        question = next(mechanism) if answer is None else mechanism.send(answer)
    except StopIteration as done:
        user, password = done.value
        accounts = dialogue.plan.accounts
        known = accounts is None or (user in accounts and accounts[user] == password)
        reply = "235 2.7.0 welcome" if known else "535 5.7.8 credentials refused"
        dialogue.meet(Moment.AUTH, reply, lambda: _authenticated(dialogue, user))
    except AuthError as error:
        dialogue.say(str(error))
    else:
        dialogue.say(challenge(question))
        dialogue.read_line(answered)


def _authenticated(dialogue: Dialogue, user: str) -> None:
    dialogue.record.account = user


def _mail(dialogue: Dialogue, argument: bytes) -> None:
    parsed = _MAIL.fullmatch(argument)
    if not dialogue.helo or dialogue.transaction is not None:
        dialogue.say("503 5.5.1 not now")
    elif parsed is None:
        dialogue.say("501 5.5.4 MAIL FROM:<path> it is")
    elif refusal := _refusal(dialogue, parameters := tuple(parsed[2].split())):
        dialogue.say(refusal)
    else:
        begun = Transaction(parsed[1], parameters)
        dialogue.meet(Moment.MAIL, "250 2.1.0 sender ok", lambda: _begun(dialogue, begun))


def _begun(dialogue: Dialogue, transaction: Transaction) -> None:
    dialogue.transaction = transaction


def _rcpt(dialogue: Dialogue, argument: bytes) -> None:
    parsed = _RCPT.fullmatch(argument)
    transaction = dialogue.transaction
    if transaction is None:
        dialogue.say("503 5.5.1 MAIL first")
    elif parsed is None:
        dialogue.say("501 5.5.4 RCPT TO:<path> it is")
    elif refusal := _refusal(dialogue, tuple(parsed[2].split())):
        dialogue.say(refusal)
    else:
        path = parsed[1]
        dialogue.meet(
            Moment.RCPT, "250 2.1.5 recipient ok", lambda: transaction.recipients.append(path)
        )


def _refusal(dialogue: Dialogue, parameters: tuple[bytes, ...]) -> str:
    """Why these parameters cannot be; empty when they can."""
    for parameter in parameters:
        keyword, _, value = parameter.upper().partition(b"=")
        if not dialogue.plan.offers(_PARAMETERS.get(keyword, "")):
            return "555 5.5.4 parameter not offered"
        if keyword == b"SIZE" and not (value.isdigit() and len(value) <= _SIZE_DIGITS):
            return "501 5.5.4 SIZE=octets it is"
        if keyword == b"SIZE" and int(value) > dialogue.plan.limit_octets:
            return "552 5.3.4 larger than SIZE allows"
    return ""


def _data(dialogue: Dialogue, argument: bytes) -> None:
    transaction = dialogue.transaction
    if transaction is None or transaction.chunks:
        dialogue.say("503 5.5.1 not now")
    elif argument:
        dialogue.say("501 5.5.4 DATA has no argument")
    elif not transaction.recipients:
        dialogue.say("554 5.5.1 no valid recipients")
    else:
        dialogue.meet(Moment.DATA, "354 end with CRLF.CRLF", dialogue.read_content)


def _bdat(dialogue: Dialogue, argument: bytes) -> None:
    parsed = _BDAT.fullmatch(argument)
    if not dialogue.plan.offers("CHUNKING"):
        dialogue.close("502 5.5.1 not offered")
    elif parsed is None:
        dialogue.close("521 5.5.4 BDAT size [LAST] it is")
    elif int(parsed[1]) > dialogue.plan.limit_octets:
        dialogue.close("552 5.3.4 larger than SIZE allows")
    else:
        then = _last_chunk if parsed[2] else _chunk
        dialogue.read_chunk(int(parsed[1]), lambda chunk: then(dialogue, chunk))


def _chunk(dialogue: Dialogue, chunk: bytes) -> None:
    if _added(dialogue, chunk):
        dialogue.meet(Moment.BDAT, f"250 2.0.0 {len(chunk)} octets")


def _last_chunk(dialogue: Dialogue, chunk: bytes) -> None:
    if transaction := _added(dialogue, chunk):
        content = b"".join(transaction.chunks)
        dialogue.finish(Content(content, content))


def _added(dialogue: Dialogue, chunk: bytes) -> Transaction | None:
    """The transaction with this chunk in it; None: it was refused."""
    transaction = dialogue.transaction
    if transaction is None or not transaction.recipients:
        dialogue.say("503 5.5.1 not now")
        return None
    if len(chunk) + sum(map(len, transaction.chunks)) > dialogue.plan.limit_octets:
        dialogue.transaction = None
        dialogue.say("552 5.3.4 larger than SIZE allows")
        return None
    transaction.chunks.append(chunk)
    return transaction


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
    b"HELO": _argument_needed(_helo),
    b"EHLO": _argument_needed(_ehlo),
    b"STARTTLS": _starttls,
    b"AUTH": _auth,
    b"MAIL": _mail,
    b"RCPT": _rcpt,
    b"DATA": _data,
    b"BDAT": _bdat,
    b"RSET": _rset,
    b"NOOP": _noop,
    b"VRFY": _vrfy,
    b"HELP": _help,
    b"QUIT": _quit,
}
