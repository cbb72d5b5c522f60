"""``struct ipfobj`` round ``struct natlookup``: what SIOCGNATL asks IPFilter (ip_nat.h, ip_fil.h).

    ipfobj          octets 4, 4, a pointer, 4, 4, 32: version, size of what is pointed to,
                    where it is, its kind, offset 0, reserve; all in the machine's own order

    natlookup, octets each     IPFilter 4  IPFilter 5
    inip, outip, realip                 4          16
    v                                               4  4 or 6
    flags                               4           4  IPN_TCP
    inport, outport, realport           2           2  network byte order, as the addresses
    size, filled up                    24          64

IPFilter 4 knows IPv4 only. illumos calls its version 4.1.9 with the structure of IPFilter 5
4010901. ``in`` is our end, ``out`` the client's, ``real`` is where the client wanted to go.
No device. Errors: ``Malformed``.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from edge_proxy.interception.bsd_ioctl import iowr
from edge_proxy.interception.malformed import Malformed
from smtpgated_contracts.values.mail import Endpoint

_OBJECT: Final = struct.Struct("@IIPii32x")
_KIND_NATLOOKUP: Final = 9
_IPN_TCP: Final = 1

SIOCGNATL: Final = iowr(b"r", 63, _OBJECT.size)

_ILLUMOS: Final = 4010901
_FIRST_OF_5: Final = 5000000


@dataclass(frozen=True, slots=True)
class NatLookup:
    """``version`` as ``ipf -V`` says it: 5010200 is 5.1.2."""

    version: int

    @property
    def knows_ipv6(self) -> bool:
        return self.version >= _FIRST_OF_5 or self.version == _ILLUMOS

    @property
    def _structure(self) -> struct.Struct:
        return _OF_5 if self.knows_ipv6 else _OF_4

    def question(self, client: Endpoint, local: Endpoint) -> bytearray:
        """The natlookup to ask with. Both ends are of one family, one that it knows."""
        inside, outside = ip_address(local.address), ip_address(client.address)
        family = (inside.version,) if self.knows_ipv6 else ()
        ports = (_network(local.port), _network(client.port), _network(0))
        addresses = (inside.packed, outside.packed, b"")
        return bytearray(self._structure.pack(*addresses, *family, _IPN_TCP, *ports))

    def pointing_at(self, address: int) -> bytearray:
        """The ipfobj to a natlookup at this address of ours."""
        return bytearray(
            _OBJECT.pack(self.version, self._structure.size, address, _KIND_NATLOOKUP, 0)
        )

    def answer(self, lookup: bytes) -> Endpoint:
        """Where the client wanted to go. Raises Malformed."""
        fields = self._structure.unpack(lookup)
        address, port = fields[2], int.from_bytes(fields[-1], "big")
        family = fields[3] if self.knows_ipv6 else 4
        if family == 4:  # noqa: PLR2004 - of IPv4
            return Endpoint(str(IPv4Address(address[:4])), port)
        if family == 6:  # noqa: PLR2004 - of IPv6
            return Endpoint(str(IPv6Address(address)), port)
        raise Malformed(f"IP version {family}")


_OF_4: Final = struct.Struct("@4s4s4si2s2s2s2x")
_OF_5: Final = struct.Struct("@16s16s16sii2s2s2s2x")


def _network(port: int) -> bytes:
    return port.to_bytes(2, "big")
