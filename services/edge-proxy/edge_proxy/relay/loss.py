"""The server is gone, or cannot be believed any more: what becomes of what was under way.

A message under way is given up, and the client told at its end; otherwise it is told at once.
"""

from collections.abc import Callable, Mapping
from typing import Final

from edge_proxy.relay import refusals
from edge_proxy.relay.actions import Loss
from edge_proxy.relay.chunks import doom_chunks
from edge_proxy.relay.content import doom_content
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.facts import CloseCause
from edge_proxy.relay.phases import Phase
from edge_proxy.relay.verdict import give_up_verdict
from edge_proxy.smtp.errors import Violation

GIVE_UP_MESSAGE: Final[Mapping[Phase, Callable[[Conversation], None]]] = {
    Phase.CONTENT: doom_content,
    Phase.CHUNK: doom_chunks,
    Phase.AWAIT_CHUNKS: doom_chunks,
    Phase.VERDICT: give_up_verdict,
}
"""Phases in which a message is under way: the client is told at its end, not at once."""


def lose_upstream(c: Conversation, why: Loss) -> None:
    """There is no upstream, or none any more."""
    was_open, c.upstream_open = c.upstream_open, False
    c.lost = why
    match c.phase:
        case Phase.POLICY if len(c.replies):
            pass  # its last words are told once policy has decided
        case Phase.POLICY | Phase.GREETING:
            c.close(CloseCause.CONNECT, refusals.CANNOT_CONNECT, detail=why.value)
        case phase if phase in GIVE_UP_MESSAGE and not _has_said_why(c):
            GIVE_UP_MESSAGE[phase](c)
        case Phase.TUNNEL:
            c.close_politely(CloseCause.SERVER)
        case Phase.DISCARD | Phase.TAKEOVER | Phase.CLOSED:
            pass
        case Phase.SKIP if not was_open:
            pass  # of a chunk that came when the server was lost
        case _:
            last_word = None if c.farewell else refusals.SERVER_LOST
            c.close(CloseCause.SERVER, last_word, detail=why.value)


def _has_said_why(c: Conversation) -> bool:
    """Its 421 was told to the client, as the answer to a chunk before this one."""
    return c.farewell and c.ledger.awaits and c.early_answer is None


def distrust_upstream(c: Conversation, violation: Violation) -> None:
    """The server said what is no reply: whatever it says next could mean anything."""
    c.note_violation(violation.kind.value, upstream=True)
    if c.phase in GIVE_UP_MESSAGE:
        GIVE_UP_MESSAGE[c.phase](c)
    else:
        c.close(CloseCause.VIOLATION, refusals.SERVER_VIOLATION)
