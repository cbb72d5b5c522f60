"""A real OpenSMTPD of our own on a free port."""

from pathlib import Path
from typing import Final, Self

from lab.ports import free_port
from service_kit.addresses import HostPort
from tests.support.cell import Cell
from tests.support.far_side import DOMAIN
from tests.support.processes import until

_PACKAGE: Final = "opensmtpd"

_CONFIGURATION: Final = """
queue ttl 1h
smtp max-message-size 100M
table everyone {{ "@" = "box" }}
listen on 127.0.0.1 port {port} hostname opensmtpd.example
action "box" maildir "/var/mail/box" virtual <everyone>
match from any for domain "{domain}" action "box"
"""


class OpenSmtpd:
    """Runs while it is entered."""

    def __init__(self) -> None:
        self.address = HostPort("127.0.0.1", 0)
        self._cell: Cell

    def __enter__(self) -> Self:
        self._cell = Cell(_PACKAGE, ("opensmtpd", "opensmtpq", "box"))
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
        return not any(self._path("var/spool/smtpd/queue").glob("*/*"))

    def log(self) -> str:
        return self._cell.log.read_text(encoding="utf-8", errors="replace")

    def _start(self) -> None:
        self.address = free_port("127.0.0.1")
        self._cell.own("var/lib/opensmtpd/empty", "root", 0o755)
        self._cell.own("var/spool/smtpd", "root", 0o711)
        self._cell.own("var/mail/box", "box")
        (self._cell.root / "etc/smtpd.conf").write_text(
            _CONFIGURATION.format(port=self.address.port, domain=DOMAIN)
        )
        daemon = self._cell.start("/usr/sbin/smtpd -dv")
        until(lambda: daemon.exit_code is not None or "smtp: will accept" in self.log())
        if daemon.exit_code is not None:
            raise AssertionError(f"OpenSMTPD {daemon.how_it_ended}: {daemon.log_tail()}")

    def _path(self, inside: str) -> Path:
        return self._cell.root / inside
