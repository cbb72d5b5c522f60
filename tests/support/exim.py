"""A real Exim of our own on a free port, and as a client: its smtp transport speaks BDAT."""

from pathlib import Path
from typing import Final, Self

from lab.ports import free_port
from service_kit.addresses import HostPort
from tests.support.cell import Cell
from tests.support.far_side import DOMAIN
from tests.support.processes import until

_PACKAGE: Final = "exim4-daemon-light"
_ACCOUNT: Final = "Debian-exim"

_CONFIGURATION: Final = """
primary_hostname = exim.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
log_selector = +all
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
message_size_limit = 100M
smtp_accept_max = 100
queue_only
smtp_enforce_sync = false
chunking_advertise_hosts = *
tls_advertise_hosts =
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_content
acl_not_smtp =

begin acl
acl_rcpt:
  accept
acl_content:
  accept

begin routers
{routers}

begin transports
box:
  driver = appendfile
  maildir_format
  directory = /var/mail/box
  user = nobody
  group = nogroup
  message_prefix =
  message_suffix =
{transports}

begin retry
* * F,1h,1h
"""

_DELIVERS: Final = """
box:
  driver = accept
  domains = {domain}
  transport = box
"""

_SENDS_ON: Final = """
onward:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = onward
"""

_ONWARD: Final = """
onward:
  driver = smtp
  port = {port}
  hosts_try_chunking = *
  hosts_avoid_tls = *
  allow_localhost
  command_timeout = 30s
"""


class Exim:
    """Runs while it is entered. With ``onward`` it delivers nothing and sends all on, by BDAT
    where that server offers CHUNKING."""

    def __init__(self, onward: HostPort | None = None) -> None:
        self._onward: Final = onward
        self.address = HostPort("127.0.0.1", 0)
        self._cell: Cell

    def __enter__(self) -> Self:
        self._cell = Cell(_PACKAGE, (_ACCOUNT,))
        try:
            self._start()
        except BaseException:
            self._cell.remove()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._cell.remove()

    def messages(self) -> list[bytes]:
        """Trace headers, then what was sent, with LF for CRLF."""
        return [each.read_bytes() for each in self._path("var/mail/box/new").glob("*")]

    def is_idle(self) -> bool:
        return not any(self._path("var/spool/exim4/input").glob("*"))

    def log(self) -> str:
        logs = (self._path(f"var/log/exim4/{name}log") for name in ("main", "reject", "panic"))
        return "".join(
            each.read_text(encoding="utf-8", errors="replace") for each in logs if each.exists()
        )

    def _start(self) -> None:
        self.address = free_port("127.0.0.1")
        for folder in ("var/spool/exim4", "var/log/exim4"):
            self._cell.own(folder, _ACCOUNT)
        self._cell.own("var/mail/box", "nobody")
        configuration = self._cell.root / "etc/exim4/exim4.conf"
        configuration.parent.mkdir()
        configuration.write_text(self._configuration())
        daemon = self._cell.start("/usr/sbin/exim4 -bdf -q1s")
        until(lambda: daemon.exit_code is not None or "listening for SMTP" in self.log())
        if daemon.exit_code is not None:
            raise AssertionError(f"Exim {daemon.how_it_ended}: {daemon.log_tail()}")

    def _configuration(self) -> str:
        if self._onward is None:
            routers, transports = _DELIVERS.format(domain=DOMAIN), ""
        else:
            routers, transports = _SENDS_ON, _ONWARD.format(port=self._onward.port)
        return _CONFIGURATION.format(port=self.address.port, routers=routers, transports=transports)

    def _path(self, inside: str) -> Path:
        return self._cell.root / inside
