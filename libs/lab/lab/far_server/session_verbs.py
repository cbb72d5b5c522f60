"""HELO, EHLO, XCLIENT, STARTTLS and AUTH: who talks, how, and as whom (RFC 5321, 3207, 4954)."""

from lab.far_server.auth import MECHANISMS, AuthError, Mechanism, challenge, decoded
from lab.far_server.dialogue import Dialogue
from lab.far_server.plan import Moment


def helo(dialogue: Dialogue, argument: bytes) -> None:
    dialogue.meet(Moment.HELO, f"250 {dialogue.plan.name}", lambda: _greeted(dialogue, argument))


def ehlo(dialogue: Dialogue, argument: bytes) -> None:
    lines = [dialogue.plan.name, *dialogue.plan.keywords]
    if dialogue.record.under_tls:
        lines.remove("STARTTLS")
    reply = "\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])
    dialogue.meet(Moment.EHLO, reply, lambda: _greeted(dialogue, argument))


def _greeted(dialogue: Dialogue, argument: bytes) -> None:
    dialogue.helo = argument
    dialogue.transaction = None


def xclient(dialogue: Dialogue, argument: bytes) -> None:
    """Who the client is, from a proxy that is trusted here (Postfix, XCLIENT_README)."""
    attributes = argument.split()
    if not dialogue.plan.offers("XCLIENT"):
        dialogue.say("502 5.5.1 not offered")
    elif dialogue.transaction is not None:
        dialogue.say("503 5.5.1 not now")
    elif not attributes or not all(b"=" in each for each in attributes):
        dialogue.say("501 5.5.4 XCLIENT NAME=value it is")
    else:
        reply = f"220 {dialogue.plan.name} ESMTP far server"
        dialogue.meet(Moment.XCLIENT, reply, lambda: _told(dialogue, attributes))


def _told(dialogue: Dialogue, attributes: list[bytes]) -> None:
    dialogue.record.told += attributes
    dialogue.helo = b""  # the session begins anew, with the client that was told


def starttls(dialogue: Dialogue, argument: bytes) -> None:
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


def auth(dialogue: Dialogue, argument: bytes) -> None:
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
