"""A real HAProxy of our own in TCP mode, on a free port: who sends PROXY headers."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.children import Child
from lab.ports import free_port
from service_kit.addresses import HostPort
from tests.support.needs import need_program
from tests.support.processes import until

_CONFIGURATION = """\
global
  nbthread 1
  log stderr format raw local0
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen balancer
  bind {bind}
{rules}
  server edge {edge} {options}
"""


@contextmanager
def haproxy(
    edge: HostPort, options: str, *, wanted: HostPort | None = None, accept_proxy: bool = False
) -> Iterator[HostPort]:
    """Where it listens. ``options`` are of its server line.

    ``wanted``: what it says its clients wanted to reach; None: itself.
    ``accept_proxy``: its own clients begin with a header, too.
    """
    program = need_program("haproxy", "haproxy")
    bind = free_port("127.0.0.1")
    rules = (
        f"  tcp-request connection set-dst str({wanted.host})\n"
        f"  tcp-request connection set-dst-port int({wanted.port})"
        if wanted is not None
        else ""
    )
    with tempfile.TemporaryDirectory(prefix="smtpgated-haproxy-") as folder:
        configuration = Path(folder) / "haproxy.cfg"
        configuration.write_text(
            _CONFIGURATION.format(
                bind=f"{bind} accept-proxy" if accept_proxy else str(bind),
                rules=rules,
                edge=edge,
                options=options,
            )
        )
        child = Child(
            "haproxy", (program, "-db", "-f", str(configuration)), Path(folder) / "haproxy.log"
        )
        try:
            until(lambda: child.exit_code is not None or _listens(bind))
            assert child.exit_code is None, child.log_tail()
            yield bind
        finally:
            child.kill()


def _listens(address: HostPort) -> bool:
    """Looked up, not tried: a connection would already be passed on."""
    place = f"0100007F:{address.port:04X}"
    table = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()
    return any(line.split()[1] == place and line.split()[3] == "0A" for line in table[1:])
