"""What a PROXY header says, whichever version it was."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from smtpgated_contracts.values.mail import Endpoint


@dataclass(frozen=True, slots=True)
class Proxied:
    """``octets``: how long the header was; the session begins behind it.

    ``local``: the sender speaks for itself (a health check). No ``source`` and ``destination``:
    the sender does not know them. ``identity``: who the client is, unchecked; empty: not said.
    """

    octets: int
    local: bool = False
    source: Endpoint | None = None
    destination: Endpoint | None = None
    identity: bytes = b""


def endpoint(address: IPv4Address | IPv6Address, port: int) -> Endpoint:
    """IPv4 is written as IPv4, also where it came as ``::ffff:192.0.2.1``."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return Endpoint(str(mapped or address), port)
