"""The proxy-helper protocol: one datagram of 66 octets each way, network byte order, IPv4 only.

A farm behind a router's NAT asks that router where a connection was going and who sent it.

    offset  octets  query                      reply
         0       4  magic RPHD                 the same
         4       4  cookie, drawn by chance    the same
         8       4  secret                     the same, or anything (the old daemon)
        12       2  version 04 02              the same
        14       2  QUERY                      REPLY and one of FOUND, NOT_FOUND
        16       4  client's address           free
        20       4  address it reached         address it wanted to reach
        24       2  client's port              free
        26       2  port it reached            port it wanted to reach
        28      32  zeros                      who the client is: text, ended by NUL
        60       6  zeros                      unused

Both directions, for who asks and for who answers; no socket. Errors: ``Malformed``, a sentence
for a log, for every datagram that is not exactly this.
"""

import struct
from dataclasses import dataclass, field
from enum import IntFlag
from ipaddress import IPv4Address
from typing import Final

from edge_proxy.interception.malformed import Malformed
from smtpgated_contracts.values.mail import Endpoint

DATAGRAM_OCTETS: Final = 66
COOKIE_OCTETS: Final = 4
SECRET_OCTETS: Final = 4
IDENTITY_OCTETS: Final = 31
"""The most that fits: the field ends in at least one NUL."""

_LAYOUT: Final = struct.Struct("!4s4s4sHH4s4sHH32s6x")
_MAGIC: Final = b"RPHD"
_VERSION: Final = 0x0402


class _Kind(IntFlag):
    QUERY = 0x0001
    REPLY = 0x0002
    FOUND = 0x0010
    NOT_FOUND = 0x0020


@dataclass(frozen=True, slots=True)
class Query:
    """``client`` reached ``local``: where had it wanted to go? Both are IPv4."""

    cookie: bytes
    secret: bytes = field(repr=False)
    client: Endpoint
    local: Endpoint


@dataclass(frozen=True, slots=True)
class Reply:
    """``destination``: where the client wanted to go; None: the router does not know.

    ``identity``: who the client is, as the router says it, unchecked; empty: not said.
    """

    cookie: bytes
    secret: bytes = field(repr=False)
    destination: Endpoint | None
    identity: bytes = b""


def render_query(query: Query) -> bytes:
    return _LAYOUT.pack(
        _MAGIC,
        query.cookie,
        query.secret,
        _VERSION,
        _Kind.QUERY,
        IPv4Address(query.client.address).packed,
        IPv4Address(query.local.address).packed,
        query.client.port,
        query.local.port,
        b"",
    )


def parse_query(datagram: bytes) -> Query:
    """Raises Malformed."""
    cookie, secret, kind, source, local, source_port, local_port, _ = _fields(datagram)
    if kind != _Kind.QUERY:
        raise Malformed(f"kind {kind:#06x} is not a query")
    return Query(cookie, secret, _endpoint(source, source_port), _endpoint(local, local_port))


def render_reply(query: Query, reply: Reply) -> bytes:
    """The client's address travels back as it was asked about; a longer identity is cut."""
    destination = reply.destination
    return _LAYOUT.pack(
        _MAGIC,
        reply.cookie,
        reply.secret,
        _VERSION,
        _Kind.REPLY | (_Kind.NOT_FOUND if destination is None else _Kind.FOUND),
        IPv4Address(query.client.address).packed,
        IPv4Address(destination.address).packed if destination else bytes(4),
        query.client.port,
        destination.port if destination else 0,
        reply.identity[:IDENTITY_OCTETS],
    )


def parse_reply(datagram: bytes) -> Reply:
    """Raises Malformed."""
    cookie, secret, kind, _, address, _, port, named = _fields(datagram)
    if kind == _Kind.REPLY | _Kind.NOT_FOUND:
        return Reply(cookie, secret, None)
    if kind != _Kind.REPLY | _Kind.FOUND:
        raise Malformed(f"kind {kind:#06x} is not a reply")
    identity, _, _ = named.partition(b"\0")
    return Reply(cookie, secret, _endpoint(address, port), identity)


def _fields(datagram: bytes) -> tuple[bytes, bytes, int, bytes, bytes, int, int, bytes]:
    if len(datagram) != DATAGRAM_OCTETS:
        raise Malformed(f"{len(datagram)} octets instead of {DATAGRAM_OCTETS}")
    magic, cookie, secret, version, *rest = _LAYOUT.unpack(datagram)
    if magic != _MAGIC:
        raise Malformed("not the magic number")
    if version != _VERSION:
        raise Malformed(f"version {version:#06x} is not spoken here")
    kind, source, local, source_port, local_port, named = rest
    return cookie, secret, kind, source, local, source_port, local_port, named


def _endpoint(packed: bytes, port: int) -> Endpoint:
    return Endpoint(str(IPv4Address(packed)), port)
