"""What the preflight asks of this machine, and this machine itself. Reads; changes nothing.

Errors: none; what cannot be found out is None.
"""

import os
import shutil
import socket
import subprocess
import sys
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final, Protocol

from edge_proxy.interception.conntrack import Conntrack
from edge_proxy.interception.own_address import is_own_address
from service_kit.addresses import HostPort
from service_kit.errors import StartError

_PATIENCE_S: Final = 10.0
_LISTEN: Final = "0A"  # the state in /proc/net/tcp
_PROGRAM_FOLDERS: Final = "/usr/sbin:/sbin:/usr/bin:/bin"


class Machine(Protocol):
    def sysctl(self, name: str) -> str | None:
        """``net.ipv4.ip_forward``; None: there is no such thing."""
        ...

    def interfaces(self) -> tuple[str, ...]: ...

    def capabilities(self) -> int:
        """Of this process, effective: bit N is capability N."""
        ...

    def said(self, program: str, *words: str) -> str | None:
        """What a program printed; None: not there, or it failed."""
        ...

    def listening(self) -> frozenset[HostPort]:
        """TCP addresses somebody listens at."""
        ...

    def is_own(self, address: str) -> bool: ...

    def conntrack_trouble(self) -> str | None:
        """Why conntrack cannot be asked; None: it can."""
        ...


class ThisMachine:
    """Linux, by /proc and the programs ip and nft."""

    def sysctl(self, name: str) -> str | None:
        try:
            return Path("/proc/sys", *name.split(".")).read_text("ascii").strip()
        except OSError:
            return None

    def interfaces(self) -> tuple[str, ...]:
        return tuple(name for _, name in socket.if_nameindex())

    def capabilities(self) -> int:
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16)
        return 0

    def said(self, program: str, *words: str) -> str | None:
        path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_PROGRAM_FOLDERS}")
        if path is None:
            return None
        try:
            ended = subprocess.run(  # noqa: S603 - our own words, no shell
                [path, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=True,
                timeout=_PATIENCE_S,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return ended.stdout

    def listening(self) -> frozenset[HostPort]:
        found = set[HostPort]()
        for name in ("tcp", "tcp6"):
            try:
                lines = Path("/proc/net", name).read_text("ascii").splitlines()[1:]
            except OSError:
                continue
            fields = (line.split() for line in lines)
            found.update(_address(each[1]) for each in fields if each[3] == _LISTEN)
        return frozenset(found)

    def is_own(self, address: str) -> bool:
        return is_own_address(address)

    def conntrack_trouble(self) -> str | None:
        try:
            Conntrack().close()
        except StartError as error:
            return str(error)
        return None


def _address(text: str) -> HostPort:
    """``0100007F:09DD``: words of 32 bits in the machine's own order."""
    packed, port = text.split(":")
    octets = b"".join(
        int(packed[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(packed), 8)
    )
    address = IPv4Address(octets) if len(octets) == 4 else IPv6Address(octets)  # noqa: PLR2004
    return HostPort(str(address), int(port, 16))
