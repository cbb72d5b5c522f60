"""What a load balancer says first about a connection it passes on: the PROXY protocol.

Two forms of the same (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt): a line of
text, ``proxy_v1_wire``, and octets, ``proxy_v2_wire``. ``parse_header`` tells them apart by
their first octets. No socket. Errors: ``Malformed``.
"""

from edge_proxy.interception import proxy_v1_wire, proxy_v2_wire
from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.proxied import Proxied


def parse_header(octets: bytes, identity_type: int | None) -> Proxied | None:
    """None: not whole yet; never for more octets than the longest header has.

    ``identity_type``: the TLV of version 2 that says who the client is. Raises Malformed.
    """
    if proxy_v2_wire.may_begin(octets):
        return proxy_v2_wire.parse(octets, identity_type)
    if proxy_v1_wire.may_begin(octets):
        return proxy_v1_wire.parse(octets)
    raise Malformed(f"{octets[:20]!r} is no PROXY header")
