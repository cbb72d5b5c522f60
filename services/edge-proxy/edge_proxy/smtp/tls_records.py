"""The outer frame of TLS: where one record ends and the next begins (RFC 8446 §5.1, RFC 5246 §6.2).

A ``RecordReader`` follows one direction of a connection, a slice at a time, and looks at record
headers, which are never encrypted, and at the first handshake message, a hello. Octets inside of
other records are passed over, neither looked at nor kept; the cost is that of the headers. What it
keeps is bounded: part of one header, and the hello until it is whole.

It refuses (Violation, NOT_TLS) whatever TLS cannot be: a record of another kind, version or length
than there are, from the very first octet to the last, and a first message that is no hello. An SSL
2.0 hello is refused with that (RFC 6176). The slice it was found in is not to be relayed.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from edge_proxy.smtp.errors import Violation, ViolationKind
from edge_proxy.smtp.tls_hello import server_name, version

LONGEST_HELLO: Final = 16_384
"""Octets of a hello that is kept until it is whole; a longer one says nothing. Hellos with
post-quantum keys are below 2 KiB."""

_HEADER: Final = struct.Struct("!BBxH")  # kind, major version, (minor), length
_MAJOR: Final = 3
_LONGEST_RECORD: Final = 16_384 + 2048  # RFC 5246 §6.2.3; TLS 1.3 allows less

_ALERT: Final = 21
_HANDSHAKE: Final = 22
_APPLICATION: Final = 23
_SHORTEST: Final[Mapping[int, int]] = {
    20: 1,  # change_cipher_spec
    _ALERT: 2,
    _HANDSHAKE: 1,
    _APPLICATION: 16,  # as much as the check value of any cipher takes
    24: 3,  # heartbeat (RFC 6520)
}
"""Kinds of records, and how few octets one of each can have: empty ones would only cost time."""

_UNTIL_THE_HELLO: Final[Mapping[int, int]] = {_HANDSHAKE: 1, _ALERT: 2}

_MESSAGE_HEAD: Final = 4  # kind, then three octets of length


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whose records: what the first may be, the kind of the hello, and what is told by it."""

    first: Mapping[int, int]
    hello: int
    tells: Callable[[bytes], str]


CLIENT: Final = Speaker({_HANDSHAKE: 1}, hello=1, tells=server_name)
SERVER: Final = Speaker(_UNTIL_THE_HELLO, hello=2, tells=version)
"""A server may refuse the client's hello by an alert and never say one of its own."""


class RecordReader:
    """One direction. ``told`` is the server name, or the version, once the hello has said it."""

    __slots__ = ("_head", "_hello", "_kinds", "_owed", "_speaker", "records", "told")

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._kinds = speaker.first
        self._head = b""  # of a header that was cut in two
        self._owed = 0  # octets of the record under way that are still to come
        self._hello: bytearray | None = bytearray()  # None: it is whole, or given up
        self.records = 0
        self.told = ""

    def read(self, octets: bytes) -> int:
        """How many octets of application data the records that begin in this slice announce.

        Raises Violation.
        """
        if self._head:
            octets, self._head = self._head + octets, b""
        announced, at, end = 0, self._owed, len(octets)
        if at and self._hello is not None:
            self._listen(octets[:at])
        while at + _HEADER.size <= end:
            kind, major, length = _HEADER.unpack_from(octets, at)
            shortest = self._kinds.get(kind)
            if shortest is None or major != _MAJOR or not shortest <= length <= _LONGEST_RECORD:
                raise Violation(ViolationKind.NOT_TLS)
            at += _HEADER.size
            self.records += 1
            if kind == _APPLICATION:
                announced += length
            elif self._hello is not None:
                self._begin(kind, octets[at : at + length])
            at += length
        if at < end:
            self._head = octets[at:]
            if self._head[0] not in self._kinds:
                raise Violation(ViolationKind.NOT_TLS)
            at = end
        self._owed = at - end
        return announced

    def _begin(self, kind: int, body: bytes) -> None:
        """A record while the hello is not whole: a fragment of it, or an alert instead."""
        self._kinds = _UNTIL_THE_HELLO
        if kind == _HANDSHAKE:
            self._listen(body)
        else:
            self._stop_listening()

    def _listen(self, fragment: bytes) -> None:
        """The next octets of the handshake, until its first message is whole."""
        hello = self._hello
        if hello is None or not fragment:
            return
        hello += fragment
        if hello[0] != self._speaker.hello:
            raise Violation(ViolationKind.NOT_TLS)
        whole = _MESSAGE_HEAD + int.from_bytes(hello[1:_MESSAGE_HEAD], "big")
        if whole > LONGEST_HELLO:
            self._stop_listening()
        elif len(hello) >= max(whole, _MESSAGE_HEAD):
            self.told = self._speaker.tells(bytes(hello[_MESSAGE_HEAD:whole]))
            self._stop_listening()

    def _stop_listening(self) -> None:
        self._hello = None
        self._kinds = _SHORTEST
