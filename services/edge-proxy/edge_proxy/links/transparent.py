"""Linux: sockets that may have another machine's address as their own (IP_TRANSPARENT).

On an AF_INET6 socket both families' options are set: it may carry IPv4 (``::ffff:``). Needs
CAP_NET_ADMIN or CAP_NET_RAW. Errors: OSError, EPERM without one of them.
"""

import socket
from collections.abc import Iterable
from typing import Final

from service_kit.errors import StartError

# linux/in.h, linux/in6.h; not all of them are named in CPython's socket module.
_IP_TRANSPARENT: Final = 19
_IP_BIND_ADDRESS_NO_PORT: Final = 24
_IPV6_TRANSPARENT: Final = 75
_SO_MARK: Final = 36

_HOW_TO_GRANT: Final = (
    "CAP_NET_ADMIN: AmbientCapabilities=CAP_NET_ADMIN in a systemd unit, "
    "--cap-add NET_ADMIN for a container, setpriv --inh-caps +net_admin --ambient-caps +net_admin"
)


def open_to_every_address(listening: Iterable[socket.socket]) -> None:
    """Listeners take connections to any machine's address that the rules bring.

    Raises StartError, which says what to grant; not for sockets that came transparent already
    (systemd: ``Transparent=yes``).
    """
    for each in listening:
        if not _is_transparent(each):
            try:
                make_transparent(each)
            except OSError as error:
                raise _not_granted("mode tproxy", error) from None


def try_out(*, transparent: bool, mark: int) -> None:
    """Whether upstream connections can be made so; better now than at each of them.

    Raises StartError, which says what to grant.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        try:
            if transparent:
                make_transparent(trial)
        except OSError as error:
            raise _not_granted("mode tproxy", error) from None
        try:
            if mark:
                set_mark(trial, mark)
        except OSError as error:
            raise _not_granted("destination.outgoing_mark", error) from None


def make_transparent(made: socket.socket) -> None:
    """Before it is bound to an address that is not ours."""
    made.setsockopt(socket.IPPROTO_IP, _IP_TRANSPARENT, 1)
    if made.family is socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, _IPV6_TRANSPARENT, 1)


def bind_address(made: socket.socket, address: str) -> None:
    """The port is chosen when it connects: ports are then counted per destination."""
    made.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
    made.bind((address, 0))


def set_mark(made: socket.socket, mark: int) -> None:
    """What the rules of packet filters and routing see on every packet it sends."""
    made.setsockopt(socket.SOL_SOCKET, _SO_MARK, mark)


def _not_granted(what: str, error: OSError) -> StartError:
    return StartError(f"{error.strerror}: {what} needs {_HOW_TO_GRANT}")


def _is_transparent(made: socket.socket) -> bool:
    ipv4 = made.getsockopt(socket.IPPROTO_IP, _IP_TRANSPARENT)
    if made.family is not socket.AF_INET6:
        return bool(ipv4)
    return bool(ipv4 and made.getsockopt(socket.IPPROTO_IPV6, _IPV6_TRANSPARENT))
