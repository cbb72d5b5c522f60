"""The other processes of a bench: the sink, the TCP relay."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lab.children import Child
from lab.ports import free_port
from service_kit.addresses import HostPort

LOOPBACK: Final = "127.0.0.1"
PATIENCE_S: Final = 10.0


@contextmanager
def running(child: Child) -> Iterator[Child]:
    try:
        yield child
    finally:
        child.kill()


@contextmanager
def sink(folder: Path) -> Iterator[tuple[HostPort, Child]]:
    """Postfix's smtp-sink: accepts everything, keeps nothing."""
    address = free_port(LOOPBACK)
    command = ("smtp-sink", "-u", "nobody", str(address), "1024")
    with running(Child("smtp-sink", command, folder / "smtp-sink.log")) as child:
        wait_for(address)
        yield address, child


@contextmanager
def tcp_relay(folder: Path, target: HostPort, *options: str) -> Iterator[tuple[HostPort, Child]]:
    """HAProxy in TCP mode with one thread: the lower bound of any proxy.

    ``options`` are its own, ``splice-auto`` for one.
    """
    address = free_port(LOOPBACK)
    config = folder / "-".join(("haproxy", *options, "cfg"))
    config.write_text(
        "global\n  nbthread 1\n  maxconn 4096\n"
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
        f"listen relay\n  bind {address}\n  server far {target}\n"
        + "".join(f"  option {option}\n" for option in options)
    )
    command = ("haproxy", "-db", "-f", str(config))
    with running(Child("haproxy", command, folder / "haproxy.log")) as child:
        wait_for(address)
        yield address, child


def wait_for(address: HostPort) -> None:
    """Until somebody accepts there."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection((address.host, address.port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)
        else:
            return
