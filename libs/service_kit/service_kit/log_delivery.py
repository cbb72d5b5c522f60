"""How a line leaves the process without the event loop ever waiting for its reader.

``StreamHandOff`` writes to a descriptor (stderr) only when poll(2) says that PIPE_BUF octets
fit, which is the kernel's own promise that write(2) does not block; otherwise the line waits
in a bounded queue for the next one. No thread: waking one costs more than the line. No
O_NONBLOCK: it would change the terminal for every process that shares it.
``SyslogHandOff`` sends datagrams from a non-blocking socket.

At the bound lines are lost, counted in ``smtpgated_log_lines_lost_total``, and said in a line
of their own when the reader is back.
"""

import contextlib
import logging
import os
import select
import socket
from collections import deque
from typing import Any, Final

from service_kit.addresses import UnixOrTcp
from service_kit.errors import StartError
from service_kit.log_formats import LONGEST_LINE
from service_kit.metrics import counter

_MOST_WAITING: Final = 1_000
_LAST_CHANCE_MS: Final = 500
_LOST: Final = counter(
    "smtpgated_log_lines_lost", "Log lines dropped because their reader did not keep up."
)


class _HandOff(logging.Handler):
    """Counts what was lost and says it once the way is free again."""

    def __init__(self) -> None:
        super().__init__()
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        if self._lost and self._deliver(self._octets(_lost_record(self._lost))):
            self._lost = 0
        if not self._deliver(self._octets(record)):
            self._lost += 1
            _LOST().inc()

    def _octets(self, record: logging.LogRecord) -> bytes:
        line = getattr(self.formatter, "octets", None)
        octets: bytes = line(record) if line is not None else self.format(record).encode()
        return octets

    def _deliver(self, line: bytes) -> bool:
        """False: lost."""
        raise NotImplementedError


class StreamHandOff(_HandOff):
    """Lines to a descriptor it does not own."""

    def __init__(self, descriptor: int, most_waiting: int = _MOST_WAITING) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._waiting: deque[bytes] = deque()
        self._most_waiting = most_waiting
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def flush(self) -> None:
        """At the end of the process: wait for the reader, but not for ever."""
        with self.lock or contextlib.nullcontext():
            self._write_waiting(_LAST_CHANCE_MS)

    def close(self) -> None:
        self.flush()
        super().close()

    def _deliver(self, line: bytes) -> bool:
        if len(self._waiting) >= self._most_waiting:
            self._write_waiting(0)
            if len(self._waiting) >= self._most_waiting:
                return False
        self._waiting.append(line[:LONGEST_LINE] + b"\n")
        self._write_waiting(0)
        return True

    def _write_waiting(self, patience_ms: int) -> None:
        while self._waiting:
            ready = self._poll.poll(patience_ms)
            if not ready or not ready[0][1] & select.POLLOUT:
                return
            line = self._waiting[0]
            try:
                written = os.write(self._descriptor, line[: select.PIPE_BUF])
            except OSError:  # nobody reads any more: keep the bound, the next line tries again
                return
            if written < len(line):
                self._waiting[0] = line[written:]
            else:
                self._waiting.popleft()


class SyslogHandOff(_HandOff):
    """Datagrams to the local syslog socket, or to host:port over UDP (RFC 5426)."""

    def __init__(self, address: UnixOrTcp) -> None:
        super().__init__()
        self._address = address
        self._socket: socket.socket | None = None
        try:
            self._socket = self._connected()
        except OSError as wrong:
            raise StartError(
                f"syslog = {address}: cannot be reached: {wrong.strerror or wrong}"
            ) from None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        super().close()

    def _connected(self) -> socket.socket:
        family, where = _datagram_address(self._address)
        fresh = socket.socket(family, socket.SOCK_DGRAM)
        try:
            fresh.setblocking(False)  # noqa: FBT003 - socket's own signature
            fresh.connect(where)
        except OSError:
            fresh.close()
            raise
        return fresh

    def _deliver(self, line: bytes) -> bool:
        for _ in range(2):  # a second time: syslogd was restarted, its socket is a new one
            try:
                if self._socket is None:
                    self._socket = self._connected()
                self._socket.send(line)
            except BlockingIOError:
                return False
            except OSError:
                if self._socket is not None:
                    self._socket.close()
                    self._socket = None
            else:
                return True
        return False


def _datagram_address(address: UnixOrTcp) -> tuple[int, Any]:  # Any: socket's own _Address
    if address.tcp is None:
        return socket.AF_UNIX, address.path
    found = socket.getaddrinfo(address.tcp.host, address.tcp.port, type=socket.SOCK_DGRAM)[0]
    return found[0], found[4]


def _lost_record(lost: int) -> logging.LogRecord:
    record = logging.LogRecord(__name__, logging.WARNING, "", 0, "log lines lost", None, None)
    record.fields = {"count": lost}
    return record
