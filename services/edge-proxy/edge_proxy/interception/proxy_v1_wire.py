"""PROXY protocol version 1: one line of text, at most 107 octets with its CRLF.

    PROXY TCP4 192.0.2.1 198.51.100.25 4711 25 CRLF
    PROXY TCP6 2001:db8::1 2001:db8::25 4711 25 CRLF
    PROXY UNKNOWN … CRLF                             what follows the word is not looked at

Strict: single spaces, canonical decimal ports, no zone. No socket. Errors: ``Malformed``.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.proxied import Proxied, endpoint

LONGEST: Final = 107

_BEGINS: Final = b"PROXY "
_LINE: Final = re.compile(
    rb"PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]{2,39}) ([0-9A-Fa-f:.]{2,39})"
    rb" (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})\r\n"
)
_UNKNOWN: Final = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*)?\r\n")
_HIGHEST_PORT: Final = 65535
_FAMILIES: Final[Mapping[bytes, Callable[[str], IPv4Address | IPv6Address]]] = {
    b"TCP4": IPv4Address,
    b"TCP6": IPv6Address,
}


def may_begin(octets: bytes) -> bool:
    return octets.startswith(_BEGINS[: len(octets)])


def parse(octets: bytes) -> Proxied | None:
    """None: not whole yet. Raises Malformed."""
    end = octets.find(b"\r\n", 0, LONGEST) + 2
    if end < 2:  # noqa: PLR2004 - it was not found
        if len(octets) >= LONGEST:
            raise Malformed(f"a PROXY line of more than {LONGEST} octets")
        return None
    line = octets[:end]
    if _UNKNOWN.fullmatch(line):
        return Proxied(end)
    fields = _LINE.fullmatch(line)
    if fields is None:
        raise Malformed(f"{line!r} is no PROXY line")
    family, source, destination, source_port, destination_port = fields.groups()
    address = _FAMILIES[family]
    try:
        return Proxied(
            end,
            source=endpoint(address(source.decode()), _port(source_port)),
            destination=endpoint(address(destination.decode()), _port(destination_port)),
        )
    except AddressValueError:
        raise Malformed(f"{line!r}: not the addresses of {family.decode()}") from None


def _port(text: bytes) -> int:
    port = int(text)
    if port > _HIGHEST_PORT:
        raise Malformed(f"{port} is no port")
    return port
