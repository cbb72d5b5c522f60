"""Which TCP ports of this machine are free.

A port found free can be taken a moment later: whoever uses ``free_port`` tries again then.
"""

import socket
from contextlib import closing

from service_kit.addresses import HostPort


def why_not(address: HostPort) -> str:
    """Why nobody could listen at ``address`` now, in the system's words; empty: one could."""
    try:
        _bound(address).close()
    except OSError as wrong:
        return wrong.strerror or str(wrong)
    return ""


def free_port(host: str) -> HostPort:
    """An address of ``host`` that nobody listens at."""
    with closing(_bound(HostPort(host, 0))) as found:
        return HostPort(host, found.getsockname()[1])


def settled(address: HostPort) -> HostPort:
    """``address``, with a free port in place of port 0."""
    return address if address.port else free_port(address.host)


def _bound(address: HostPort) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        # As servers do: connections in TIME_WAIT do not make a port taken.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        bound.listen(1)
    except OSError:
        bound.close()
        raise
    return bound
