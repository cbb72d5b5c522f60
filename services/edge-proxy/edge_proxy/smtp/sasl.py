"""Who a client says it is when it authenticates (RFC 4954 §4); never how it proves it.

Of PLAIN (RFC 4616) and LOGIN the first thing that a client says holds the name: behind AUTH, or
in the first answer. All other mechanisms keep who it is to themselves. A ``Claim`` keeps the
name alone: what else the line held is forgotten at once. A name means something once the server
has answered 235.
"""

from binascii import Error, a2b_base64
from collections.abc import Callable, Mapping
from typing import Final

LONGEST_NAME: Final = 256
"""Octets; RFC 5321 §4.5.3.1.3 allows a path as many. Who says more has no name."""
_LONGEST_LINE: Final = 4096
"""Octets of base64 that are looked at: authorization and password may be names as long."""
_AUTHORIZATION_NAME_PASSWORD: Final = 3


class Claim:
    """Of one AUTH exchange. ``name`` is empty until it is known, and where nobody can know it."""

    __slots__ = ("_read", "name")

    def __init__(self, argument: bytes) -> None:
        """``argument``: what stands behind AUTH."""
        mechanism, _, initial = argument.partition(b" ")
        self.name = b""
        self._read = _NAME_IN.get(mechanism.upper())
        if initial:
            self.said(initial)

    def said(self, line: bytes) -> None:
        """What the client says next; only the first of it matters."""
        read, self._read = self._read, None
        if read is None or len(line) > _LONGEST_LINE:
            return
        try:
            name = read(a2b_base64(line.strip(b" \t\r\n"), strict_mode=True))
        except Error:
            return  # "*" gives the exchange up, "=" is an empty answer; the rest is no base64
        self.name = name if len(name) <= LONGEST_NAME else b""


def _plain(message: bytes) -> bytes:
    parts = message.split(b"\0")
    return parts[1] if len(parts) == _AUTHORIZATION_NAME_PASSWORD else b""


def _login(message: bytes) -> bytes:
    return message


_NAME_IN: Final[Mapping[bytes, Callable[[bytes], bytes]]] = {b"PLAIN": _plain, b"LOGIN": _login}
"""By mechanism: where the name stands in the first thing that the client says."""
