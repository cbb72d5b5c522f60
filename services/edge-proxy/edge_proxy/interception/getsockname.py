"""The socket itself knows: FreeBSD ``ipfw fwd``, OpenBSD ``divert-to``.

These hand a connection over without rewriting it, so the local address of the accepted socket is
the one that the client wanted to reach. Needs no privilege once the connection is here. What was
not intercepted comes to where we listen, and that is a loop (``no_loop``).
"""

from edge_proxy.interception.tproxy import local_end
from edge_proxy.ports import Arrived, Found


class Getsockname:
    """The server sees the edge's address, not the client's."""

    async def find(self, arrived: Arrived) -> Found:
        return Found(arrived.peer, local_end(arrived.socket))
