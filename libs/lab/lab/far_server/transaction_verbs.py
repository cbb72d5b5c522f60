"""MAIL, RCPT, DATA and BDAT: one transaction (RFC 5321, 1870, 3030)."""

import re
from collections.abc import Mapping
from typing import Final

from lab.far_server.content import Content
from lab.far_server.dialogue import Dialogue, Transaction
from lab.far_server.plan import Moment

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


def mail(dialogue: Dialogue, argument: bytes) -> None:
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


def rcpt(dialogue: Dialogue, argument: bytes) -> None:
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


def data(dialogue: Dialogue, argument: bytes) -> None:
    transaction = dialogue.transaction
    if transaction is None or transaction.chunks:
        dialogue.say("503 5.5.1 not now")
    elif argument:
        dialogue.say("501 5.5.4 DATA has no argument")
    elif not transaction.recipients:
        dialogue.say("554 5.5.1 no valid recipients")
    else:
        dialogue.meet(Moment.DATA, "354 end with CRLF.CRLF", dialogue.read_content)


def bdat(dialogue: Dialogue, argument: bytes) -> None:
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
