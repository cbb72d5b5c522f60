"""Whether an address is one of this machine's.

The kernel is asked by binding to it: no list to keep, no privilege. Costs two system calls, so
ask only when the port already matches. With ``net.ipv4.ip_nonlocal_bind`` every address is ours.
"""

import socket
from ipaddress import ip_address


def is_own_address(address: str) -> bool:
    """False for a name, and for a link-local address without its zone."""
    try:
        version = ip_address(address).version
    except ValueError:
        return False
    family = socket.AF_INET if version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
    with socket.socket(family, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind((address, 0))
        except OSError:
            return False
    return True
