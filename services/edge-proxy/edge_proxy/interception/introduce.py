"""What a configured server is told about a client before the session: a PROXY v2 header.

Its source is the client as he is known nearest to him; its destination the address of ours that
he reached, for with a fixed server that is where he wanted to go.
"""

from edge_proxy.interception.proxy_v2_wire import render
from edge_proxy.ports import Found
from smtpgated_contracts.values.mail import Endpoint


def proxy_header(found: Found, reached: Endpoint, identity_type: int | None) -> bytes:
    """``identity_type``: the TLV in which his identity goes; None: it is not told."""
    if identity_type is None:
        return render(found.source, reached)
    return render(found.source, reached, identity_type, found.identity.encode())
