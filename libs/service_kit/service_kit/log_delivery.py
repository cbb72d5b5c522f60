"""How a line leaves the process without the event loop ever waiting for its reader.

``StreamHandOff`` writes to a descriptor (stderr) only when poll(2) says that PIPE_BUF octets
fit, which is the kernel's own promise that write(2) does not block; otherwise the line waits
in a bounded queue for the next one. No thread: waking one costs more than the line. No
O_NONBLOCK: it would change the terminal for every process that shares it.
Syslog has ways of its own (``syslog_delivery``) with the same promise.

At the bound lines are lost, counted in ``smtpgated_log_lines_lost_total``, and said in a line
of their own when the reader is back.
"""

import contextlib
import logging
import os
import select
from collections import deque
from typing import Final

from service_kit.log_formats import LONGEST_LINE
from service_kit.metrics import counter

MOST_WAITING: Final = 1_000
_LAST_CHANCE_MS: Final = 500
_LOST: Final = counter(
    "smtpgated_log_lines_lost", "Log lines dropped because their reader did not keep up."
)


class HandOff(logging.Handler):
    """A way out for lines. Counts what was lost and says it once the way is free again."""

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


class StreamHandOff(HandOff):
    """Lines to a descriptor it does not own."""

    def __init__(self, descriptor: int, most_waiting: int = MOST_WAITING) -> None:
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


def _lost_record(lost: int) -> logging.LogRecord:
    record = logging.LogRecord(__name__, logging.WARNING, "", 0, "log lines lost", None, None)
    record.fields = {"count": lost}
    return record
