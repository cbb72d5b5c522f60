"""What the two hellos of a TLS handshake say in the clear: the name asked for, the version chosen.

ClientHello and ServerHello (RFC 8446 §4.1.2, §4.1.3; RFC 5246 §7.4.1) are the only messages that
are looked into, and only for this: server_name (RFC 6066 §3) and supported_versions (RFC 8446
§4.2.1). Both are said by strangers: a hello that cannot be followed says nothing, and no error
leaves here. With Encrypted Client Hello the name is that of the server's provider.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final


class TlsVersion(StrEnum):
    """UNSEEN: the server chose none that is known here, or its hello did not come."""

    SSL_3_0 = "SSLv3"
    TLS_1_0 = "TLSv1.0"
    TLS_1_1 = "TLSv1.1"
    TLS_1_2 = "TLSv1.2"
    TLS_1_3 = "TLSv1.3"
    UNSEEN = "unseen"


_VERSIONS: Final = {
    0x0300: TlsVersion.SSL_3_0,
    0x0301: TlsVersion.TLS_1_0,
    0x0302: TlsVersion.TLS_1_1,
    0x0303: TlsVersion.TLS_1_2,
    0x0304: TlsVersion.TLS_1_3,
}

_RANDOM: Final = 32
_SERVER_NAME: Final = 0
_SUPPORTED_VERSIONS: Final = 43
_HOST_NAME: Final = 0
_NAME: Final = re.compile(rb"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_LONGEST_NAME: Final = 253
"""RFC 1035 §2.3.4: 255 octets on the wire of the DNS, so many as text."""


def server_name(client_hello: bytes) -> str:
    """The host name the client asks for, in small letters; empty: none, or none that is a name."""
    hello = _Octets(client_hello)
    try:
        hello.take(2 + _RANDOM)
        hello.vector(1)  # session id
        hello.vector(2)  # cipher suites
        hello.vector(1)  # compression methods
        names = _Octets(_extension(hello, _SERVER_NAME).vector(2))
        while names:
            kind, name = names.number(1), names.vector(2)
            if kind == _HOST_NAME:
                sound = len(name) <= _LONGEST_NAME and _NAME.fullmatch(name)
                return name.decode("ascii").lower() if sound else ""
    except _TooShort:
        pass
    return ""


def version(server_hello: bytes) -> TlsVersion:
    """What the server chose to speak."""
    hello = _Octets(server_hello)
    try:
        chosen = hello.number(2)
        hello.take(_RANDOM)
        hello.vector(1)  # session id
        hello.take(2 + 1)  # cipher suite, compression method
        if hello:  # TLS 1.3 says 1.2 above, and the truth in an extension
            chosen = _extension(hello, _SUPPORTED_VERSIONS).number(2, otherwise=chosen)
    except _TooShort:
        return TlsVersion.UNSEEN
    return _VERSIONS.get(chosen, TlsVersion.UNSEEN)


def _extension(hello: "_Octets", wanted: int) -> "_Octets":
    """The body of an extension; nothing if it is not there. Raises _TooShort."""
    for kind, body in _extensions(_Octets(hello.vector(2))):
        if kind == wanted:
            return _Octets(body)
    return _Octets(b"")


def _extensions(octets: "_Octets") -> Iterator[tuple[int, bytes]]:
    while octets:
        yield octets.number(2), octets.vector(2)


class _TooShort(Exception):  # noqa: N818 - what is the case
    """Fewer octets than a length in front of them says."""


class _Octets:
    """Taken from the front, in the units of RFC 8446 §3."""

    __slots__ = ("_at", "_octets")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._octets)

    def take(self, count: int) -> bytes:
        taken = self._octets[self._at : self._at + count]
        if len(taken) < count:
            raise _TooShort
        self._at += count
        return taken

    def number(self, width: int, otherwise: int | None = None) -> int:
        """``otherwise``: what stands for a number where no octet is left."""
        if otherwise is not None and not self:
            return otherwise
        return int.from_bytes(self.take(width), "big")

    def vector(self, width: int) -> bytes:
        """Octets behind their own length, which is ``width`` octets wide."""
        return self.take(self.number(width))
