"""ctnetlink: one question and its answer, as octets (linux/netfilter/nfnetlink_conntrack.h).

A connection that went through NAT has two tuples: *original*, as its client sent it, and
*reply*, as its answers are sent. Whoever stands behind the NAT knows only the second, turned
round; asked with it (IPCTNL_MSG_CT_GET, CTA_TUPLE_REPLY), the kernel tells the first.

No socket here. Errors: ``Malformed``, for an answer that is none.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from smtpgated_contracts.values.mail import Endpoint

_HEADER: Final = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence, port
_FAMILY: Final = struct.Struct("!BBH")  # struct nfgenmsg: address family, version 0, 0
_ATTRIBUTE: Final = struct.Struct("=HH")  # struct nlattr: length with itself, type
_ERRNO: Final = struct.Struct("=i")
_PORT: Final = struct.Struct("!H")

_ERROR: Final = 2  # NLMSG_ERROR
_REQUEST: Final = 1  # NLM_F_REQUEST
_GET: Final = 1 << 8 | 1  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET
_ENTRY: Final = 1 << 8 | 0  # … IPCTNL_MSG_CT_NEW
_NESTED: Final = 0x8000
_TYPE_MASK: Final = 0x3FFF

_TUPLE_ORIGINAL, _TUPLE_REPLY = 1, 2
_ADDRESSES, _PROTOCOL = 1, 2
_NUMBER, _SOURCE_PORT, _DESTINATION_PORT = 1, 2, 3
_SOURCE: Final = {4: 1, 6: 3}  # CTA_IP_V4_SRC, CTA_IP_V6_SRC
_DESTINATION: Final = {4: 2, 6: 4}
_AF: Final = {4: 2, 6: 10}
_TCP: Final = 6


class Malformed(ValueError):  # noqa: N818 - what an answer is
    """Not an answer of ctnetlink."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction of a TCP connection; both addresses of one family."""

    source: Endpoint
    destination: Endpoint


@dataclass(frozen=True, slots=True)
class Answer:
    """``original`` is None when the kernel answered with an error number."""

    sequence: int
    error: int
    original: Flow | None


def render_question(sequence: int, reply: Flow) -> bytes:
    """What was the original of the connection whose answers flow so? ValueError: two families."""
    source, destination = ip_address(reply.source.address), ip_address(reply.destination.address)
    version = source.version
    if destination.version != version:
        raise ValueError(f"{source} and {destination} are of two families")
    addresses = _nested(
        _ADDRESSES,
        _attribute(_SOURCE[version], source.packed),
        _attribute(_DESTINATION[version], destination.packed),
    )
    protocol = _nested(
        _PROTOCOL,
        _attribute(_NUMBER, bytes((_TCP,))),
        _attribute(_SOURCE_PORT, _PORT.pack(reply.source.port)),
        _attribute(_DESTINATION_PORT, _PORT.pack(reply.destination.port)),
    )
    body = _FAMILY.pack(_AF[version], 0, 0) + _nested(_TUPLE_REPLY, addresses, protocol)
    return _HEADER.pack(_HEADER.size + len(body), _GET, _REQUEST, sequence, 0) + body


def parse_answer(octets: bytes) -> Answer:
    """Raises Malformed."""
    if len(octets) < _HEADER.size:
        raise Malformed("shorter than a header")
    length, kind, _, sequence, _ = _HEADER.unpack_from(octets)
    body = octets[_HEADER.size : length]
    if len(octets) < length or len(body) < _ERRNO.size:
        raise Malformed("shorter than it says")
    if kind == _ERROR:
        return Answer(sequence, -_ERRNO.unpack_from(body)[0], None)
    if kind != _ENTRY:
        raise Malformed(f"kind {kind:#06x}")
    tuples = dict(_attributes(body[_FAMILY.size :]))
    return Answer(sequence, 0, _flow(tuples.get(_TUPLE_ORIGINAL, b"")))


def _flow(octets: bytes) -> Flow:
    parts = dict(_attributes(octets))
    addresses = dict(_attributes(parts.get(_ADDRESSES, b"")))
    protocol = dict(_attributes(parts.get(_PROTOCOL, b"")))
    if protocol.get(_NUMBER) != bytes((_TCP,)):
        raise Malformed("not TCP")
    for version in _AF:
        try:
            return Flow(
                _end(addresses[_SOURCE[version]], protocol[_SOURCE_PORT]),
                _end(addresses[_DESTINATION[version]], protocol[_DESTINATION_PORT]),
            )
        except KeyError:
            continue
        except (ValueError, struct.error):
            break
    raise Malformed("a tuple without both of its ends")


def _end(packed: bytes, port: bytes) -> Endpoint:
    return Endpoint(str(ip_address(packed)), _PORT.unpack(port)[0])


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    while octets:
        if len(octets) < _ATTRIBUTE.size:
            raise Malformed("a piece of an attribute")
        length, kind = _ATTRIBUTE.unpack_from(octets)
        if not _ATTRIBUTE.size <= length <= len(octets):
            raise Malformed("an attribute longer than its place")
        yield kind & _TYPE_MASK, octets[_ATTRIBUTE.size : length]
        octets = octets[_aligned(length) :]


def _attribute(kind: int, octets: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(octets)
    return _ATTRIBUTE.pack(length, kind) + octets.ljust(_aligned(len(octets)), b"\0")


def _nested(kind: int, *attributes: bytes) -> bytes:
    return _attribute(kind | _NESTED, b"".join(attributes))


def _aligned(length: int) -> int:
    return (length + 3) & ~3
