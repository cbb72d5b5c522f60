"""Linux, nftables ``redirect`` or ``dnat``: conntrack still knows the original destination.

SO_ORIGINAL_DST answers with a ``struct sockaddr_in``, IP6T_SO_ORIGINAL_DST with a ``struct
sockaddr_in6`` (linux/netfilter_ipv4.h, linux/netfilter_ipv6/ip6_tables.h). A dual-stack
listener accepts IPv4 clients on an AF_INET6 socket: these must be asked at the IPv4 level.
Needs no privilege. Without conntrack, or for a connection that nobody redirected, the kernel
answers ENOENT or our own address.
"""

import socket
import struct
from typing import Final

from edge_proxy.ports import AcceptedSocket, Arrived, Found, NoDestination, NotFound
from smtpgated_contracts.values.mail import Endpoint

SO_ORIGINAL_DST: Final = 80
IP6T_SO_ORIGINAL_DST: Final = 80
_SOCKADDR_IN: Final = struct.Struct("!2xH4s8x")
_SOCKADDR_IN6: Final = struct.Struct("!2xH4x16s4x")
V4_MAPPED: Final = "::ffff:"


class Redirect:
    """SO_ORIGINAL_DST, both families."""

    async def find(self, arrived: Arrived) -> Found:
        return Found(arrived.peer, redirected_from(arrived.socket))


def redirected_from(connection: AcceptedSocket) -> Endpoint:
    """Where the connection was going. Raises NoDestination: nobody redirected it."""
    local_address, local_port = connection.getsockname()[:2]
    if ":" in local_address and not local_address.startswith(V4_MAPPED):
        level, option, layout = socket.IPPROTO_IPV6, IP6T_SO_ORIGINAL_DST, _SOCKADDR_IN6
        family = socket.AF_INET6
    else:
        level, option, layout = socket.IPPROTO_IP, SO_ORIGINAL_DST, _SOCKADDR_IN
        family = socket.AF_INET
    try:
        answer = connection.getsockopt(level, option, layout.size)
    except OSError as error:
        detail = f"SO_ORIGINAL_DST: {error.strerror}"
        raise NoDestination(NotFound.NOT_INTERCEPTED, detail) from None
    port, packed = layout.unpack(answer)
    destination = Endpoint(socket.inet_ntop(family, packed), port)
    if destination == Endpoint(local_address.removeprefix(V4_MAPPED), local_port):
        raise NoDestination(NotFound.NOT_INTERCEPTED)
    return destination
