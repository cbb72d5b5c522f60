"""A customer, a router and a mail server: three network namespaces joined by two cables.

        client 10.71.1.2 ── 10.71.1.1 router 10.71.2.1 ── 10.71.2.2 server
               fd71:1::2 ── fd71:1::1        fd71:2::1 ── fd71:2::2

Nothing in them is joined to the machine's own network. Needs root and Linux.
"""

import contextlib
import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tests.support.needs import need_linux, need_program, need_root

CLIENT_SIDE: Final = "rc"
"""The router's interface towards the client."""
SERVER_SIDE: Final = "rs"


@dataclass(frozen=True, slots=True)
class Family:
    """The addresses of one IP version."""

    name: str
    client: str
    router_to_client: str
    router_to_server: str
    server: str
    prefix: int


IPV4: Final = Family("IPv4", "10.71.1.2", "10.71.1.1", "10.71.2.1", "10.71.2.2", 24)
IPV6: Final = Family("IPv6", "fd71:1::2", "fd71:1::1", "fd71:2::1", "fd71:2::2", 64)
FAMILIES: Final = (IPV4, IPV6)


@dataclass(frozen=True, slots=True)
class Namespace:
    name: str

    def command(self, *words: str) -> tuple[str, ...]:
        """``words`` as a command that runs inside."""
        return (need_program("ip", "iproute2"), "netns", "exec", self.name, *words)

    def run(self, *words: str, given: str | None = None) -> None:
        """Run it now; CalledProcessError when it fails."""
        subprocess.run(self.command(*words), input=given, text=True, check=True)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that this thread makes meanwhile belong to it, for as long as they live."""
        with _opened("/proc/thread-self/ns/net") as ours, _opened(f"/run/netns/{self.name}") as its:
            _set_namespace(its)
            try:
                yield
            finally:
                _set_namespace(ours)

    def socket(self, address: str) -> socket.socket:
        """A TCP socket inside, bound to this address."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.entered():
            made = socket.socket(family, socket.SOCK_STREAM)
        made.bind((address, 0))
        return made


class Network:
    """The three of them, while it is entered."""

    def __init__(self) -> None:
        prefix = f"sg{os.getpid()}"
        self.client: Final = Namespace(f"{prefix}-client")
        self.router: Final = Namespace(f"{prefix}-router")
        self.server: Final = Namespace(f"{prefix}-server")
        self._cleanup: Final = contextlib.ExitStack()

    def __enter__(self) -> Self:
        need_linux("a test in network namespaces")
        need_root("a test in network namespaces")
        with contextlib.ExitStack() as undo:
            for namespace in (self.client, self.router, self.server):
                _ip("netns", "add", namespace.name)
                undo.callback(_ip, "netns", "del", namespace.name)
                # Else the first packets wait for duplicate address detection.
                namespace.run("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")
                namespace.run("ip", "link", "set", "lo", "up")
            self._join(self.client, CLIENT_SIDE)
            self._join(self.server, SERVER_SIDE)
            for family in FAMILIES:
                self._address(family)
            forwarding = ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
            self.router.run("sysctl", "-qw", *forwarding)
            self._cleanup.push(undo.pop_all())
        return self

    def __exit__(self, *_exception: object) -> None:
        self._cleanup.close()

    def redirect(self, rules: str) -> None:
        """Load an nftables ruleset on the router."""
        self.router.run(need_program("nft", "nftables"), "-f", "-", given=rules)

    def attach(self, name: str, interface: str, address: str, router: str) -> Namespace:
        """One more host, IPv4, on a cable of its own; ``interface`` is the router's end."""
        host = Namespace(f"{self.router.name}-{name}")
        _ip("netns", "add", host.name)
        self._cleanup.callback(_ip, "netns", "del", host.name)
        host.run("ip", "link", "set", "lo", "up")
        self._join(host, interface)
        host.run("ip", "addr", "add", f"{address}/24", "dev", "veth0")
        self.router.run("ip", "addr", "add", f"{router}/24", "dev", interface)
        host.run("ip", "route", "add", "default", "via", router)
        return host

    def _join(self, host: Namespace, interface: str) -> None:
        _ip(
            *("link", "add", "veth0", "netns", host.name, "type", "veth"),
            *("peer", "name", interface, "netns", self.router.name),
        )
        host.run("ip", "link", "set", "veth0", "up")
        self.router.run("ip", "link", "set", interface, "up")

    def _address(self, family: Family) -> None:
        places: Sequence[tuple[Namespace, str, str]] = (
            (self.client, "veth0", family.client),
            (self.router, CLIENT_SIDE, family.router_to_client),
            (self.router, SERVER_SIDE, family.router_to_server),
            (self.server, "veth0", family.server),
        )
        for namespace, interface, address in places:
            namespace.run("ip", "addr", "add", f"{address}/{family.prefix}", "dev", interface)
        for host, router in (
            (self.client, family.router_to_client),
            (self.server, family.router_to_server),
        ):
            host.run("ip", "route", "add", "default", "via", router)


_CLONE_NEWNET: Final = 0x4000_0000


def _set_namespace(descriptor: int) -> None:
    """setns(2), which CPython 3.11 has not."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
    descriptor = os.open(Path(path), os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _ip(*words: str) -> None:
    subprocess.run((need_program("ip", "iproute2"), *words), check=True)
