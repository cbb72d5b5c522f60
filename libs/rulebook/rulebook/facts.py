"""What is known of a session when rules are asked, and from which phase on."""

from dataclasses import dataclass
from enum import StrEnum

from smtpgated_contracts.values.policy import SpfResult
from smtpgated_contracts.values.scan import VerdictKind


class Phase(StrEnum):
    """When a rule is asked. Each phase knows what the phases before it knew."""

    CONNECT = "connect"
    HELO = "helo"
    MAIL = "mail"
    RCPT = "rcpt"
    AUTH = "auth"
    DATA = "data"
    CONTENT = "content"


class Need(StrEnum):
    """A fact that the edge has to ask policy for, because it comes out of the DNS."""

    SPF = "spf"
    DNSBL = "dnsbl"


@dataclass(slots=True)
class Facts:
    """Grows from phase to phase. What is not known yet makes no condition hold.

    Addresses of the envelope are octets as the client sent them, without the angle brackets.
    ``auth_user`` is who AUTH said he was, empty where nobody knows; ``auth_offered``: the server
    offers AUTH. ``spf`` None: not asked. ``dnsbl`` are the zones that list the source. ``load`` is
    the edge's load average of one minute. ``size_octets`` is what MAIL declared (RFC 1870, 0:
    nothing) and, when the rules of the content are asked, the size of the content. ``found`` has
    ``engine:name`` of every finding that is not clean.
    """

    source: str
    destination: str = ""
    destination_port: int = 0
    identity: str = ""
    helo: bytes = b""
    reverse_path: bytes = b""
    recipient: bytes = b""
    authenticated: bool = False
    verdict: VerdictKind | None = None
    score: float = 0.0
    size_octets: int = 0
    auth_user: bytes = b""
    auth_offered: bool = False
    spf: SpfResult | None = None
    dnsbl: frozenset[str] = frozenset()
    load: float = 0.0
    found: tuple[str, ...] = ()
