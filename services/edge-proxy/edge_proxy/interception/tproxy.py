"""Linux, nftables ``tproxy``: the accepted socket's own address is the original destination.

The listener is transparent (``links.listener``), so the kernel gives it connections to other
machines' addresses, unchanged; conntrack is not asked and need not be there. The upstream
connection comes from the client's own address (``links.connect``).

``private`` sources may be redirected instead: an address that means nothing outside is of no
use to a server, so theirs sees the edge's. Both kinds arrive at the same listeners.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from edge_proxy.interception.redirect import V4_MAPPED, redirected_from
from edge_proxy.ports import AcceptedSocket, Arrived, Found
from smtpgated_contracts.values.mail import Endpoint


@dataclass(frozen=True, slots=True)
class Tproxy:
    """``redirected``: sources that the router's rules redirect."""

    redirected: Sequence[IPv4Network | IPv6Network] = ()

    async def find(self, arrived: Arrived) -> Found:
        address = ip_address(arrived.peer.address)
        if any(address in network for network in self.redirected):
            return Found(arrived.peer, redirected_from(arrived.socket))
        return Found(arrived.peer, local_end(arrived.socket), transparent=True)


def local_end(connection: AcceptedSocket) -> Endpoint:
    """Where the client's connection ends; IPv4 written as IPv4, no zone."""
    address, port = connection.getsockname()[:2]
    return Endpoint(address.removeprefix(V4_MAPPED).partition("%")[0], port)
