"""Who the client is, said to a server that would otherwise see only us (XCLIENT).

At the client's first EHLO or HELO: ``EHLO`` of ours, to learn what the server wants to know; what
it wants to know; then the client's own line, as if nothing had been. A server that cannot be told
is not talked to: it would take every client for us, and trust it as much.
"""

from collections.abc import Mapping
from typing import Final

from edge_proxy.relay import refusals
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.facts import CloseCause
from edge_proxy.relay.ledger import Awaited, Expect
from edge_proxy.relay.phases import Cause
from edge_proxy.smtp.capabilities import arguments_of
from edge_proxy.smtp.commands import Command
from edge_proxy.smtp.replies import Reply
from edge_proxy.smtp.verbs import Verb
from edge_proxy.smtp.xclient import UNAVAILABLE, xclient_address, xclient_commands

INTRODUCED: Final = 220
"""The server begins anew, with a greeting for the client it now knows."""

NEEDS_NO_INTRODUCTION: Final = frozenset(
    {Verb.EHLO, Verb.HELO, Verb.NOOP, Verb.RSET, Verb.QUIT, Verb.BDAT, Verb.OTHER}
)
"""What a client may say before it: harmless, or not relayed at all (BDAT has octets to eat)."""


def introduce(c: Conversation, hello: Command) -> None:
    """Ask the server first what it wants to know; ``hello`` is relayed afterwards."""
    if not hello.argument:
        c.refuse_command(refusals.HELLO_UNNAMED)
        return
    c.hello = hello
    c.relay(b"EHLO %b\r\n" % hello.argument, Awaited(Expect.OUR_EHLO), Cause.INTRODUCING)


def server_offered(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    """The answer to our EHLO, which the client never sees."""
    wanted = arguments_of(reply, b"XCLIENT") if reply.is_positive else ()
    c.introduction = xclient_commands(wanted, _known(c))
    if b"ADDR" not in (each.upper() for each in wanted):
        _give_up(c, "the server takes no XCLIENT")
    else:
        _go_on(c)


def introduced(c: Conversation, awaited: Awaited, reply: Reply) -> None:
    """The answer to XCLIENT."""
    if reply.code != INTRODUCED:
        _give_up(c, f"the server refuses XCLIENT with {reply.code}")
    else:
        _go_on(c)


def _go_on(c: Conversation) -> None:
    if c.introduction:
        c.outbox.send_upstream(c.introduction.pop(0))
        c.ledger.await_reply(Awaited(Expect.XCLIENT))
        return
    assert c.hello is not None, "introduced without a reason"
    c.introduced = True
    expect = Expect.EHLO if c.hello.verb is Verb.EHLO else Expect.HELO
    c.relay(c.hello.line, Awaited(expect), Cause.INTRODUCED)


def _known(c: Conversation) -> Mapping[bytes, bytes]:
    assert c.hello is not None, "introduced without a reason"
    known = {
        b"ADDR": xclient_address(c.source.address),
        b"PORT": b"%d" % c.source.port,
        b"NAME": UNAVAILABLE,
        b"PROTO": b"ESMTP" if c.hello.verb is Verb.EHLO else b"SMTP",
        b"HELO": c.hello.argument,
    }
    if c.settings.xclient_login:
        known[b"LOGIN"] = c.facts.identity.encode() or UNAVAILABLE
    return known


def _give_up(c: Conversation, why: str) -> None:
    c.close(CloseCause.INTRODUCTION, refusals.NOT_INTRODUCED, detail=why)
