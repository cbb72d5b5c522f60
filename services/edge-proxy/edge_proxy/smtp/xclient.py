"""XCLIENT: telling a server that trusts us who its client is (Postfix, XCLIENT_README)."""

from collections.abc import Iterable, Mapping
from typing import Final

from edge_proxy.smtp.limits import XCLIENT_LINE

UNAVAILABLE: Final = b"[UNAVAILABLE]"

_AS_IT_IS: Final = frozenset(range(33, 127)) - frozenset(b"+=")


def xtext(octets: bytes) -> bytes:
    """RFC 3461 §4: what is not printable ASCII, and ``+`` and ``=``, in hexadecimal."""
    return b"".join(bytes((octet,)) if octet in _AS_IT_IS else b"+%02X" % octet for octet in octets)


def xclient_address(address: str) -> bytes:
    """ADDR's value; an IPv6 address says that it is one."""
    return (b"IPV6:" if ":" in address else b"") + address.encode("ascii")


def xclient_commands(offered: Iterable[bytes], values: Mapping[bytes, bytes]) -> list[bytes]:
    """The commands that say what the server wants to know, in its order.

    Each is at most 512 octets long, CRLF included; a value too long for a command of its own is
    said to be unavailable. Empty: the server wants to know nothing that we know.
    """
    commands: list[bytes] = []
    for name in dict.fromkeys(name.upper() for name in offered):
        if name not in values:
            continue
        word = b" %b=%b" % (name, xtext(values[name]))
        if len(b"XCLIENT%b\r\n" % word) > XCLIENT_LINE:
            word = b" %b=%b" % (name, UNAVAILABLE)
        if commands and len(commands[-1]) + len(word) <= XCLIENT_LINE:
            commands[-1] = commands[-1][:-2] + word + b"\r\n"
        else:
            commands.append(b"XCLIENT%b\r\n" % word)
    return commands
