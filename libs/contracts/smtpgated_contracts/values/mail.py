"""Who is talking, to whom, about which message: the values every contract shares.

Addresses of the network are text (``192.0.2.1``, ``2001:db8::1``; never v4-mapped).
Addresses of mail are octets: SMTPUTF8 and strangers' mistakes pass unchanged.
"""

from dataclasses import dataclass
from typing import Final, NewType

SessionId = NewType("SessionId", str)
EdgeId = NewType("EdgeId", str)

MAX_IDENTITY: Final = 256
"""Characters of an identity; RFC 5321 §4.5.3.1.3 allows a path as many octets."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a TCP connection."""

    address: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SessionRef:
    """One intercepted session, as every service names it.

    ``identity`` is who the source is beyond its address; empty while nobody has said so.
    """

    session_id: SessionId
    edge_id: EdgeId
    source: Endpoint
    original_destination: Endpoint
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the server accepted for one transaction (RFC 5321 §2.3.1).

    ``recipients`` are those the server answered with 2xx, in order, without brackets.
    ``auth_user`` is the name the client authenticated as; empty where nobody can know.
    """

    helo: bytes = b""
    reverse_path: bytes = b""
    recipients: tuple[bytes, ...] = ()
    authenticated: bool = False
    auth_user: bytes = b""
