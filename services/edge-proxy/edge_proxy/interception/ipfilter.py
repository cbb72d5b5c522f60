"""FreeBSD, NetBSD and illumos, IPFilter ``rdr``: ipnat still knows the original destination.

SIOCGNATL on /dev/ipnat, open for reading, once a worker; asking takes no time worth waiting
for. The structure holds a pointer to another one, hence ctypes. Structures: ``ipfilter_wire``.
"""

import ctypes
import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge_proxy.interception.bsd_ioctl import Ioctl, kernel_ioctl
from edge_proxy.interception.device import opened, system_of
from edge_proxy.interception.ipfilter_wire import SIOCGNATL, NatLookup
from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.tproxy import local_end
from edge_proxy.ports import Arrived, Found, NoDestination, NotFound
from smtpgated_contracts.values.mail import Endpoint

_SYSTEMS: Final[Mapping[str, str]] = {
    "freebsd": "FreeBSD",
    "netbsd": "NetBSD",
    "sunos": "illumos",
}
_UNKNOWN_TO_IT: Final = frozenset({errno.ESRCH, errno.ENOENT})


class IpFilter:
    """``device``: a descriptor of /dev/ipnat."""

    def __init__(self, device: int, natlookup: NatLookup, ioctl: Ioctl = kernel_ioctl) -> None:
        self._device = device
        self._natlookup = natlookup
        self._ioctl = ioctl

    @classmethod
    def opened(cls, device: Path, version: int, platform: str) -> "IpFilter":
        """``platform`` is ``sys.platform``. Raises StartError."""
        system_of(platform, _SYSTEMS, "ipfilter")
        return cls(opened(device, "ipfilter"), NatLookup(version))

    async def find(self, arrived: Arrived) -> Found:
        client, local = arrived.peer, local_end(arrived.socket)
        if ":" in client.address and not self._natlookup.knows_ipv6:
            raise NoDestination(NotFound.UNKNOWN, "IPFilter 4 knows IPv4 only")
        try:
            destination = self._asked(client, local)
        except OSError as error:
            not_there = error.errno in _UNKNOWN_TO_IT
            why = NotFound.NOT_INTERCEPTED if not_there else NotFound.NO_ANSWER
            raise NoDestination(why, f"SIOCGNATL: {error.strerror or error}") from None
        except Malformed as wrong:
            raise NoDestination(NotFound.BAD_ANSWER, f"SIOCGNATL: {wrong}") from None
        if destination == local:
            raise NoDestination(NotFound.NOT_INTERCEPTED)
        return Found(client, destination)

    def _asked(self, client: Endpoint, local: Endpoint) -> Endpoint:
        question = self._natlookup.question(client, local)
        lookup = (ctypes.c_char * len(question)).from_buffer(question)  # keeps it where it is
        self._ioctl(self._device, SIOCGNATL, self._natlookup.pointing_at(ctypes.addressof(lookup)))
        return self._natlookup.answer(lookup.raw)
