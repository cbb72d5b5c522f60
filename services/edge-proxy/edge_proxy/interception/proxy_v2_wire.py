"""PROXY protocol version 2: octets, network byte order.

    offset  octets
         0      12  signature 0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A
        12       1  version 2, and LOCAL 0 or PROXY 1
        13       1  family (unspecified 0, IPv4 1, IPv6 2, UNIX 3), and STREAM 1 or DGRAM 2
        14       2  octets that follow: addresses, ports, then TLVs
        16    8+4   IPv4: source, destination; their ports
        16   32+4   IPv6: the same

A TLV is a type, a length of two octets, and its value. Three are understood: CRC32c (it must be
right where it is present), NOOP, and the one that an operator made the identity (PP2_TYPE_CUSTOM,
E0 to EF). Both directions; no socket. Errors: ``Malformed``.
"""

import struct
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

from edge_proxy.interception.crc32c import crc32c
from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.proxied import Proxied, endpoint
from smtpgated_contracts.values.mail import Endpoint

MOST_FOLLOWING: Final = 4096
"""Octets behind the first 16. The specification promises room for 536; certificates need more."""

_SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
_START: Final = struct.Struct("!12sBBH")
_TLV: Final = struct.Struct("!BH")
_CRC32C: Final = 0x03
_CHECKSUM: Final = struct.Struct("!I")

_MAPPED: Final = bytes(10) + b"\xff\xff"

_LOCAL: Final = 0x20
_PROXY: Final = 0x21
_TCP4: Final = 0x11
_TCP6: Final = 0x21
# Unspecified, UDP, UNIX sockets: lawful, but nothing that a mail client came from.
_NOT_TCP: Final = frozenset({0x00, 0x12, 0x22, 0x31, 0x32})


class _Layout(NamedTuple):
    block: struct.Struct
    address: type[IPv4Address] | type[IPv6Address]


_LAYOUTS: Final[Mapping[int, _Layout]] = {
    _TCP4: _Layout(struct.Struct("!4s4sHH"), IPv4Address),
    _TCP6: _Layout(struct.Struct("!16s16sHH"), IPv6Address),
}


class _Tlv(NamedTuple):
    """``at``: where in the header its value stands."""

    type: int
    value: bytes
    at: int


def may_begin(octets: bytes) -> bool:
    return octets.startswith(_SIGNATURE[: len(octets)])


def parse(octets: bytes, identity_type: int | None) -> Proxied | None:
    """None: not whole yet. ``identity_type``: of which TLV the identity is. Raises Malformed."""
    if len(octets) < _START.size:
        return None
    _, command, family, following = _START.unpack_from(octets)
    if command not in (_LOCAL, _PROXY):
        raise Malformed(f"version and command {command:#04x}")
    if following > MOST_FOLLOWING:
        raise Malformed(f"{following} octets follow, more than {MOST_FOLLOWING}")
    end = _START.size + following
    if len(octets) < end:
        return None
    if command == _LOCAL:
        return Proxied(end, local=True)
    if family in _NOT_TCP:
        return Proxied(end)
    if family not in _LAYOUTS:
        raise Malformed(f"family {family:#04x}")
    return _of_tcp(octets[:end], _LAYOUTS[family], identity_type)


def render(
    source: Endpoint, destination: Endpoint, identity_type: int = 0, identity: bytes = b""
) -> bytes:
    """A PROXY header. Of two families both are written as IPv6. An empty identity is left out."""
    ends = [ip_address(source.address), ip_address(destination.address)]
    family = _TCP4 if all(isinstance(each, IPv4Address) for each in ends) else _TCP6
    first, second = (each.packed if family == _TCP4 else _as_ipv6(each) for each in ends)
    following = _LAYOUTS[family].block.pack(first, second, source.port, destination.port)
    if identity:
        following += _TLV.pack(identity_type, len(identity)) + identity
    return _START.pack(_SIGNATURE, _PROXY, family, len(following)) + following


def _of_tcp(header: bytes, layout: _Layout, identity_type: int | None) -> Proxied:
    if len(header) < _START.size + layout.block.size:
        raise Malformed("too short for its addresses")
    source, destination, *ports = layout.block.unpack_from(header, _START.size)
    identity = b""
    for tlv in _tlvs(header, _START.size + layout.block.size):
        if tlv.type == _CRC32C:
            _check(header, tlv)
        elif tlv.type == identity_type:
            identity = tlv.value
    return Proxied(
        len(header),
        source=endpoint(layout.address(source), ports[0]),
        destination=endpoint(layout.address(destination), ports[1]),
        identity=identity,
    )


def _tlvs(header: bytes, at: int) -> Iterator[_Tlv]:
    while at < len(header):
        if at + _TLV.size > len(header):
            raise Malformed("a TLV is cut off")
        kind, length = _TLV.unpack_from(header, at)
        at += _TLV.size
        if at + length > len(header):
            raise Malformed("a TLV is longer than its header")
        yield _Tlv(kind, header[at : at + length], at)
        at += length


def _check(header: bytes, checksum: _Tlv) -> None:
    """It is computed with zeros in its own place (section 2.2.3)."""
    size = _CHECKSUM.size
    blank = header[: checksum.at] + bytes(size) + header[checksum.at + size :]
    if checksum.value != _CHECKSUM.pack(crc32c(blank)):
        raise Malformed("the checksum is wrong")


def _as_ipv6(address: IPv4Address | IPv6Address) -> bytes:
    """RFC 4291 §2.5.5.2 for IPv4."""
    mapped = _MAPPED if isinstance(address, IPv4Address) else b""
    return mapped + address.packed
