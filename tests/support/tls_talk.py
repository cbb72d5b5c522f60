"""A real TLS conversation in memory: OpenSSL on both sides, no socket, every octet in our hands."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Final

from lab.certificates import Authority

NAME: Final = "mail.far.example"


@dataclass(frozen=True, slots=True)
class Flight:
    """What one side sends before it waits for the other. ``up``: from the client."""

    up: bool
    octets: bytes


@cache
def authority() -> Authority:
    return Authority(NAME)


class TlsTalk:
    """``name`` None: the client asks for no server name."""

    def __init__(
        self, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, name: str | None = NAME
    ) -> None:
        client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client_context.check_hostname = False  # whose certificate it is, is not the question here
        client_context.verify_mode = ssl.CERT_NONE
        client_context.minimum_version = client_context.maximum_version = version
        self._from_client = ssl.MemoryBIO()
        self._from_server = ssl.MemoryBIO()
        self._client = client_context.wrap_bio(
            self._from_server, self._from_client, server_hostname=name
        )
        self._server = authority().server_context.wrap_bio(
            self._from_client, self._from_server, server_side=True
        )

    def handshake(self) -> Iterator[Flight]:
        """Until both sides have finished it."""
        for turn in range(6):
            up = turn % 2 == 0
            side = self._client if up else self._server
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
            yield from self._sent(up=up)

    def say(self, octets: bytes, *, up: bool) -> Iterator[Flight]:
        """Application data, and its arrival."""
        (self._client if up else self._server).write(octets)
        yield from self._sent(up=up)
        heard = b""
        while len(heard) < len(octets):
            heard += (self._server if up else self._client).read(len(octets))

    def _sent(self, *, up: bool) -> Iterator[Flight]:
        """What a side has written: noted, then put back for the other to read."""
        written = self._from_client if up else self._from_server
        octets = written.read()
        if octets:
            written.write(octets)
            yield Flight(up, octets)


def whole_talk(talk: TlsTalk, lines: Sequence[tuple[bool, bytes]] = ()) -> list[Flight]:
    """The handshake, then ``lines`` of (up, octets)."""
    flights = list(talk.handshake())
    for up, octets in lines:
        flights += talk.say(octets, up=up)
    return flights
