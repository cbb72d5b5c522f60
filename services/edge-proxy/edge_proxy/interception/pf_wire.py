"""``struct pfioc_natlook`` of net/pfvar.h: what DIOCNATLOOK asks pf, and how pf answers.

    octets each  FreeBSD  OpenBSD
             16        0        0  saddr, daddr, rsaddr, rdaddr: IPv4 in the first four
              2                64  rdomain, rrdomain
              2       64       68  sport, dport, rsport, rdport: network byte order
              1       72       76  af, proto, direction
                      76       80  size, filled up to a multiple of four

Both systems look the connection up as it left pf towards us (PF_OUT): source is the client,
destination what it reached; rdaddr and rdport are then where it wanted to go. OpenBSD's
routing domain is the first one. No device. Errors: ``Malformed``.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from edge_proxy.interception.bsd_ioctl import iowr
from edge_proxy.interception.malformed import Malformed
from smtpgated_contracts.values.mail import Endpoint

_AF_INET: Final = 2
_IPPROTO_TCP: Final = 6
_PF_OUT: Final = 2
_NUMBER: Final = 23


@dataclass(frozen=True, slots=True)
class NatLook:
    """One system's structure. ``inet6``: its AF_INET6."""

    structure: struct.Struct
    inet6: int

    @property
    def ioctl(self) -> int:
        """DIOCNATLOOK."""
        return iowr(b"D", _NUMBER, self.structure.size)

    def question(self, client: Endpoint, local: Endpoint) -> bytearray:
        """The structure to ask with. Both ends are of one family."""
        address = ip_address(client.address)
        family = _AF_INET if isinstance(address, IPv4Address) else self.inet6
        ends = (address.packed, ip_address(local.address).packed, b"", b"")
        ports = (client.port, local.port, 0, 0)
        return bytearray(self.structure.pack(*ends, *ports, family, _IPPROTO_TCP, _PF_OUT))

    def answer(self, structure: bytearray) -> Endpoint:
        """Where the client wanted to go. Raises Malformed."""
        _, _, _, address, _, _, _, port, family, _, _ = self.structure.unpack(structure)
        if family == _AF_INET:
            return Endpoint(str(IPv4Address(address[:4])), port)
        if family == self.inet6:
            return Endpoint(str(IPv6Address(address)), port)
        raise Malformed(f"address family {family}")


FREEBSD: Final = NatLook(struct.Struct("!16s16s16s16sHHHHBBBx"), inet6=28)
OPENBSD: Final = NatLook(struct.Struct("!16s16s16s16s4xHHHHBBBx"), inet6=24)
