"""FreeBSD and OpenBSD, ``rdr`` / ``rdr-to``: pf still knows the original destination.

DIOCNATLOOK on /dev/pf, open for reading, once a worker; asking takes no time worth waiting for.
The device is root's unless devfs rules (FreeBSD) or its mode (OpenBSD) give it to the edge's
group. Structure: ``pf_wire``.
"""

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge_proxy.interception.bsd_ioctl import Ioctl, kernel_ioctl
from edge_proxy.interception.device import opened, system_of
from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.pf_wire import FREEBSD, OPENBSD, NatLook
from edge_proxy.interception.tproxy import local_end
from edge_proxy.ports import Arrived, Found, NoDestination, NotFound

_SYSTEMS: Final[Mapping[str, NatLook]] = {"freebsd": FREEBSD, "openbsd": OPENBSD}


class Pf:
    """``device``: a descriptor of /dev/pf."""

    def __init__(self, device: int, natlook: NatLook, ioctl: Ioctl = kernel_ioctl) -> None:
        self._device = device
        self._natlook = natlook
        self._ioctl = ioctl

    @classmethod
    def opened(cls, device: Path, platform: str) -> "Pf":
        """``platform`` is ``sys.platform``. Raises StartError."""
        natlook = system_of(platform, _SYSTEMS, "pf")
        return cls(opened(device, "pf"), natlook)

    async def find(self, arrived: Arrived) -> Found:
        client, local = arrived.peer, local_end(arrived.socket)
        structure = self._natlook.question(client, local)
        try:
            self._ioctl(self._device, self._natlook.ioctl, structure)
            destination = self._natlook.answer(structure)
        except OSError as error:
            why = NotFound.NOT_INTERCEPTED if error.errno == errno.ENOENT else NotFound.NO_ANSWER
            raise NoDestination(why, f"DIOCNATLOOK: {error.strerror or error}") from None
        except Malformed as wrong:
            raise NoDestination(NotFound.BAD_ANSWER, f"DIOCNATLOOK: {wrong}") from None
        if destination == local:
            raise NoDestination(NotFound.NOT_INTERCEPTED)
        return Found(client, destination)
