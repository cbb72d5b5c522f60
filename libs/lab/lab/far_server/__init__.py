"""The far server: a strict SMTP server that keeps what it was given, byte for byte.

It stands where a customer's own mail server stands: behind the edge. Tests, the
demonstration and the bench ask it what arrived. It shares no code with the edge's grammar,
so that one mistake cannot hide in both.

* ``plan``      what it offers, and at which moment it misbehaves: one frozen value
* ``dialogue``  the conversation, without a socket: octets in, octets and wishes out
* ``voice``     what it says, and the plan's twists, which bite there
* ``verbs``     which commands there are; ``session_verbs`` and ``transaction_verbs`` are they
* ``content``   where content ends: CRLF.CRLF, or a chunk's last octet
* ``auth``      AUTH PLAIN and LOGIN
* ``store``     messages and sessions as they were seen
* ``link``      one asyncio transport under one dialogue: pace, TLS
* ``server``    listening, certificates, waiting for what should arrive

RFC 5321, 1870, 2920, 3030, 3207, 4954; everything else is taken as the client says it.
"""

from lab.far_server.plan import (
    NORMAL,
    Close,
    Delay,
    FarPlan,
    Hold,
    Moment,
    Raw,
    Say,
    Silence,
    Twist,
)
from lab.far_server.server import FarServer
from lab.far_server.store import SessionRecord, StoredMessage

__all__ = [
    "NORMAL",
    "Close",
    "Delay",
    "FarPlan",
    "FarServer",
    "Hold",
    "Moment",
    "Raw",
    "Say",
    "SessionRecord",
    "Silence",
    "StoredMessage",
    "Twist",
]
