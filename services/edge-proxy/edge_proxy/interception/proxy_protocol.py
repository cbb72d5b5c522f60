"""A load balancer in front says who came and where to: PROXY protocol, version 1 or 2.

Only listed peers are believed, and from these every connection must begin with the header. It
is read before anything else; what stands behind it is the session's, to the octet.
"""

from edge_proxy.interception.believed import allowed, believed, identity_of
from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.proxied import Proxied
from edge_proxy.interception.proxy_header import parse_header
from edge_proxy.ports import Arrived, Found, NoDestination, NotFound
from rulebook.networks import NetworkSet
from smtpgated_contracts.values.mail import Endpoint


class ProxyProtocol:
    """``server``: where every connection goes; None: the header says where to.

    ``identity_type``: the TLV of version 2 that says who the client is.
    """

    def __init__(
        self, peers: NetworkSet, identity_type: int | None, server: Endpoint | None = None
    ) -> None:
        self._peers = peers
        self._identity_type = identity_type
        self._server = server

    async def find(self, arrived: Arrived) -> Found:
        balancer = allowed(arrived.peer, self._peers)
        header = await self._header(arrived)
        if header.local:
            raise NoDestination(NotFound.PROBE)
        source = header.source or balancer
        identity = identity_of(header.identity)
        if self._server is not None:
            return Found(source, self._server, identity)
        if header.destination is None:
            raise NoDestination(NotFound.UNKNOWN, "the PROXY header names no destination")
        return Found(source, believed(header.destination, balancer), identity)

    async def _header(self, arrived: Arrived) -> Proxied:
        octets = b""
        while True:
            octets += await arrived.octets()
            try:
                header = parse_header(octets, self._identity_type)
            except Malformed as wrong:
                raise NoDestination(NotFound.BAD_ANSWER, f"PROXY protocol: {wrong}") from None
            if header is not None:
                arrived.unread(octets[header.octets :])
                return header
