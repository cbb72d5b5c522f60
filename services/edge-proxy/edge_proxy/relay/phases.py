"""What the next downstream octets are, and every way from one such phase to another.

All that changes a phase stands in ``TRANSITIONS``; a pair that is missing there is a bug of ours
and ends the session. ``docs/phases.md`` is drawn from these tables.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Phase(Enum):
    """The value is what the phase is called in logs and metrics."""

    POLICY = "policy"  # barrier: may this session be at all?
    GREETING = "greeting"  # barrier: the server's first reply
    COMMAND = "command"  # a command line
    AWAIT_REPLY = "await-reply"  # barrier: the answer to a verb that ends its group
    AWAIT_TLS = "await-tls"  # barrier: the answer to STARTTLS; any octet now is an attack
    INTRODUCTION = "introduction"  # barrier: the server learns by XCLIENT who the client is
    DECISION = "decision"  # barrier: policy is asked about MAIL, or whether content may follow
    AWAIT_GO_AHEAD = "await-go-ahead"  # barrier: the answer to DATA
    AWAIT_ENVELOPE = "await-envelope"  # barrier: the answers before the content
    DIALOGUE = "dialogue"  # one line of an AUTH exchange (RFC 4954 §4)
    CONTENT = "content"  # content, dot-stuffed
    CHUNK = "chunk"  # the octets of one BDAT (RFC 3030 §2)
    AWAIT_CHUNKS = "await-chunks"  # barrier: the answers to the chunks; the end is held
    VERDICT = "verdict"  # barrier: the end is held
    DISCARD = "discard"  # content nobody will get: read to its end, then answer
    SKIP = "skip"  # octets of a BDAT that nobody will get
    TAKEOVER = "takeover"  # a command that we answer alone
    TUNNEL = "tunnel"  # octets nobody reads
    CLOSED = "closed"


class Cause(Enum):
    """Why a phase ends."""

    ADMITTED = "policy admitted the session"
    GREETED = "server greeted"
    ASKED = "a verb that ends its group was relayed"
    ANSWERED = "server answered it"
    CHALLENGED = "server answered AUTH with 334"
    TLS_ASKED = "STARTTLS was relayed"
    TLS_GRANTED = "server answered 220"
    LEFT_UNREAD = "server answered 235, and a rule trusts who authenticates"
    DATA_ASKED = "DATA was relayed"
    GO_AHEAD = "354 was answered"
    CHUNK_CAME = "the first BDAT came, or DATA that needs the answers before it"
    POLICY_ASKED = "policy was asked"
    MAIL_DECIDED = "policy answered about MAIL"
    CONTENT_DECIDED = "policy answered about the content"
    CHUNK_BEGUN = "BDAT was relayed"
    CHUNK_ENDED = "its octets were relayed"
    CHUNKS_ENDED = "the octets of BDAT LAST were relayed"
    CHUNKS_FAILED = "server refused a chunk"
    CONTENT_ENDED = "the end came and is held"
    DOOMED = "the message was given up in mid-content"
    RELEASED = "the end was sent upstream"
    REFUSED = "RSET was sent upstream, the client was told"
    INTRODUCING = "first EHLO, and the server is to learn whose it is"
    INTRODUCED = "server answered XCLIENT, EHLO was relayed"
    TAKEN_OVER = "upstream was given up, the client was told"
    SKIP_BEGUN = "BDAT was refused"
    SKIPPED = "its octets have passed"


TRANSITIONS: Final[Mapping[tuple[Phase, Cause], Phase]] = {
    (Phase.POLICY, Cause.ADMITTED): Phase.GREETING,
    (Phase.GREETING, Cause.GREETED): Phase.COMMAND,
    (Phase.COMMAND, Cause.ASKED): Phase.AWAIT_REPLY,
    (Phase.AWAIT_REPLY, Cause.ANSWERED): Phase.COMMAND,
    (Phase.AWAIT_REPLY, Cause.CHALLENGED): Phase.DIALOGUE,
    (Phase.DIALOGUE, Cause.ASKED): Phase.AWAIT_REPLY,
    (Phase.AWAIT_REPLY, Cause.LEFT_UNREAD): Phase.TUNNEL,
    (Phase.COMMAND, Cause.TLS_ASKED): Phase.AWAIT_TLS,
    (Phase.AWAIT_TLS, Cause.ANSWERED): Phase.COMMAND,
    (Phase.AWAIT_TLS, Cause.TLS_GRANTED): Phase.TUNNEL,
    (Phase.COMMAND, Cause.POLICY_ASKED): Phase.DECISION,
    (Phase.DECISION, Cause.MAIL_DECIDED): Phase.COMMAND,
    (Phase.COMMAND, Cause.DATA_ASKED): Phase.AWAIT_GO_AHEAD,
    (Phase.AWAIT_GO_AHEAD, Cause.ANSWERED): Phase.COMMAND,
    (Phase.AWAIT_GO_AHEAD, Cause.GO_AHEAD): Phase.CONTENT,
    (Phase.COMMAND, Cause.CHUNK_CAME): Phase.AWAIT_ENVELOPE,
    (Phase.AWAIT_ENVELOPE, Cause.POLICY_ASKED): Phase.DECISION,
    (Phase.DECISION, Cause.CONTENT_DECIDED): Phase.AWAIT_ENVELOPE,
    (Phase.AWAIT_ENVELOPE, Cause.CHUNK_BEGUN): Phase.CHUNK,
    (Phase.AWAIT_ENVELOPE, Cause.SKIP_BEGUN): Phase.SKIP,
    (Phase.AWAIT_ENVELOPE, Cause.DATA_ASKED): Phase.AWAIT_GO_AHEAD,
    (Phase.AWAIT_ENVELOPE, Cause.ANSWERED): Phase.COMMAND,
    (Phase.AWAIT_ENVELOPE, Cause.GO_AHEAD): Phase.CONTENT,
    (Phase.COMMAND, Cause.CHUNK_BEGUN): Phase.CHUNK,
    (Phase.CHUNK, Cause.CHUNK_ENDED): Phase.COMMAND,
    (Phase.CHUNK, Cause.CHUNKS_ENDED): Phase.AWAIT_CHUNKS,
    (Phase.CHUNK, Cause.DOOMED): Phase.SKIP,
    (Phase.AWAIT_CHUNKS, Cause.CHUNKS_FAILED): Phase.COMMAND,
    (Phase.AWAIT_CHUNKS, Cause.REFUSED): Phase.AWAIT_REPLY,
    (Phase.AWAIT_CHUNKS, Cause.CONTENT_ENDED): Phase.VERDICT,
    (Phase.AWAIT_CHUNKS, Cause.DOOMED): Phase.SKIP,
    (Phase.CONTENT, Cause.CONTENT_ENDED): Phase.VERDICT,
    (Phase.CONTENT, Cause.CHUNKS_ENDED): Phase.AWAIT_CHUNKS,
    (Phase.CONTENT, Cause.DOOMED): Phase.DISCARD,
    (Phase.DISCARD, Cause.TAKEN_OVER): Phase.TAKEOVER,
    (Phase.VERDICT, Cause.RELEASED): Phase.COMMAND,
    (Phase.VERDICT, Cause.REFUSED): Phase.AWAIT_REPLY,
    (Phase.VERDICT, Cause.TAKEN_OVER): Phase.TAKEOVER,
    (Phase.COMMAND, Cause.SKIP_BEGUN): Phase.SKIP,
    (Phase.SKIP, Cause.SKIPPED): Phase.COMMAND,
    (Phase.SKIP, Cause.TAKEN_OVER): Phase.TAKEOVER,
    (Phase.COMMAND, Cause.INTRODUCING): Phase.INTRODUCTION,
    (Phase.INTRODUCTION, Cause.INTRODUCED): Phase.AWAIT_REPLY,
}
"""Besides these, every phase may end in CLOSED."""

PATIENCE: Final[Mapping[Phase, float]] = {
    Phase.POLICY: 30.0,  # our own: the clients of policy answer within their deadline
    Phase.DECISION: 30.0,  # likewise
    Phase.GREETING: 300.0,  # RFC 5321 §4.5.3.2.1
    Phase.COMMAND: 300.0,  # RFC 5321 §4.5.3.2.7
    Phase.AWAIT_REPLY: 300.0,  # RFC 5321 §4.5.3.2.2, .3
    Phase.AWAIT_TLS: 300.0,
    Phase.AWAIT_GO_AHEAD: 300.0,  # the RFC's 2 minutes (§4.5.3.2.4) are the client's to insist on
    Phase.INTRODUCTION: 300.0,
    Phase.AWAIT_ENVELOPE: 300.0,
    Phase.DIALOGUE: 300.0,
    Phase.CONTENT: 180.0,  # RFC 5321 §4.5.3.2.5, between two slices
    Phase.CHUNK: 180.0,
    Phase.AWAIT_CHUNKS: 300.0,  # the server's to insist on; the verdict has its own deadline
    Phase.VERDICT: 90.0,  # above the scan deadline, below the server's 5 minutes (§4.5.3.2.7)
    Phase.DISCARD: 180.0,
    Phase.SKIP: 180.0,
    Phase.TAKEOVER: 30.0,
    Phase.TUNNEL: 600.0,
    Phase.CLOSED: 30.0,
}
"""Seconds without progress before ``deadline_passed``."""

PATIENCE_FOR_THE_END: Final = 600.0
"""RFC 5321 §4.5.3.2.6: a server may take ten minutes to answer the end of content."""
