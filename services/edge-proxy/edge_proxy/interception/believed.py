"""What is believed of what others say about a connection: routers, load balancers.

They are listed peers, but a mistake or a stolen address must not make the edge a way to its own
host, nor an identity something that confuses a log or a lock.
"""

from ipaddress import ip_address
from typing import Final

from edge_proxy.ports import NoDestination, NotFound
from rulebook.networks import NetworkSet
from smtpgated_contracts.values.mail import Endpoint

LONGEST_IDENTITY: Final = 64
"""Characters kept of an identity. The old program kept 20."""


def allowed(peer: Endpoint, peers: NetworkSet) -> Endpoint:
    """``peer``, if it may speak for others. Raises NoDestination."""
    if not peers.covers(peer.address):
        raise NoDestination(NotFound.NOT_ALLOWED, f"{peer.address} is not in peers")
    return peer


def believed(destination: Endpoint, peer: Endpoint) -> Endpoint:
    """A destination that ``peer`` named, if a client could have wanted to go there.

    Our own loopback is believed only of somebody who is there himself. Raises NoDestination.
    """
    address = ip_address(destination.address)
    if destination.port == 0 or address.is_unspecified or address.is_multicast:
        raise NoDestination(NotFound.BAD_ANSWER, f"{destination} is no destination")
    if address.is_loopback and not ip_address(peer.address).is_loopback:
        raise NoDestination(NotFound.BAD_ANSWER, f"{peer.address} says {destination}")
    return destination


def identity_of(octets: bytes) -> str:
    """As text of one line, bounded; what cannot be printed becomes ``?``."""
    text = octets.decode("utf-8", "replace").strip()
    return "".join(each if each.isprintable() else "?" for each in text[:LONGEST_IDENTITY])
