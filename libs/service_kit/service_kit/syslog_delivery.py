"""How a line reaches a syslog receiver, without the event loop ever waiting for it.

``SyslogDatagrams``: a UNIX datagram socket, or UDP (RFC 5426), one line a datagram.
``SyslogStream``: TCP, each line preceded by its length (RFC 6587 §3.4.1), so that no octet of a
line can be taken for its end. While the receiver is away, lines wait, up to a bound; connecting
is tried again with pauses that grow. What the kernel had taken when a connection broke is lost
and cannot be counted: the protocol has no acknowledgement (RFC 6587 §3.1).

StartError: the UNIX socket is not there, or the name of the receiver does not resolve. A TCP
receiver that merely does not answer is no reason not to start.
"""

import asyncio
import contextlib
import errno
import select
import socket
from collections import deque
from typing import Any, Final

from service_kit.addresses import HostPort, UnixOrTcp
from service_kit.clock import SYSTEM_CLOCK, Clock
from service_kit.errors import StartError
from service_kit.log_delivery import MOST_WAITING, HandOff

CONNECT_S: Final = 5.0
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
_TEND_S: Final = 0.2
"""How soon lines that wait are tried again when no new line comes."""
_AT_START_MS: Final = 1_000
_LAST_CHANCE_MS: Final = 500


class SyslogDatagrams(HandOff):
    def __init__(self, address: UnixOrTcp) -> None:
        super().__init__()
        self._address = address
        self._socket: socket.socket | None = None
        try:
            self._socket = self._connected()
        except OSError as wrong:
            raise _not_reached(str(address), wrong) from None

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


class SyslogStream(HandOff):
    """``_sent`` are the octets of the first waiting frame that the present connection took."""

    def __init__(
        self, receiver: HostPort, most_waiting: int = MOST_WAITING, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        super().__init__()
        self._clock = clock
        self._waiting: deque[bytes] = deque()
        self._most_waiting = most_waiting
        self._sent = 0
        self._socket: socket.socket | None = None
        self._connecting = False
        self._not_before_s = self._give_up_at_s = clock.monotonic_s()
        self._pause_s = FIRST_PAUSE_S
        self._tending: asyncio.TimerHandle | None = None
        try:  # once: a resolver can take seconds, and later there is a loop that must not wait
            self._addresses = deque(
                (family, where)
                for family, _, _, _, where in socket.getaddrinfo(
                    receiver.host, receiver.port, type=socket.SOCK_STREAM
                )
            )
        except OSError as wrong:
            raise _not_reached(str(receiver), wrong) from None
        self._connect()
        self._await_room(_AT_START_MS)
        self._push()

    @property
    def connected(self) -> bool:
        return self._socket is not None and not self._connecting

    def emit(self, record: Any) -> None:  # Any: a LogRecord, as logging has it
        super().emit(record)
        self._tend_later()

    def close(self) -> None:
        with self.lock or contextlib.nullcontext():
            if self._tending is not None:
                self._tending.cancel()
            for _ in range(10):
                self._push()
                if not self._waiting or self._socket is None:
                    break
                self._await_room(_LAST_CHANCE_MS // 10)
            if self._socket is not None:
                self._socket.close()
                self._socket = None
        super().close()

    def _deliver(self, line: bytes) -> bool:
        if len(self._waiting) >= self._most_waiting:
            self._push()
            if len(self._waiting) >= self._most_waiting:
                return False
        self._waiting.append(b"%d %s" % (len(line), line))
        self._push()
        return True

    def _push(self) -> None:
        """Send what the receiver takes now."""
        if not self._stands():
            return
        assert self._socket is not None
        try:
            if self._socket.recv(4096) == b"":  # it has nothing to say; an end says it is gone
                self._disconnect()
                return
        except BlockingIOError:
            pass
        except OSError:
            self._disconnect()
            return
        while self._waiting:
            try:
                self._sent += self._socket.send(memoryview(self._waiting[0])[self._sent :])
            except BlockingIOError:
                return
            except OSError:
                self._disconnect()
                return
            if self._sent >= len(self._waiting[0]):
                self._waiting.popleft()
                self._sent = 0
                self._pause_s = FIRST_PAUSE_S

    def _stands(self) -> bool:
        """Whether there is a connection; if not, one is begun when its time has come."""
        now_s = self._clock.monotonic_s()
        if self._socket is None and now_s >= self._not_before_s:
            self._connect()
        if self._socket is None or not self._connecting:
            return self._socket is not None
        if not self._await_room(0):
            if now_s >= self._give_up_at_s:
                self._disconnect()
            return False
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._disconnect()
            return False
        self._connecting = False
        return True

    def _connect(self) -> None:
        """Begin to connect to the next address of the receiver's."""
        family, where = self._addresses[0]
        self._addresses.rotate(-1)
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setblocking(False)  # noqa: FBT003 - socket's own signature
        self._connecting = True
        self._give_up_at_s = self._clock.monotonic_s() + CONNECT_S
        if self._socket.connect_ex(where) not in (0, errno.EINPROGRESS):
            self._disconnect()

    def _disconnect(self) -> None:
        """The frame that was cut is sent again as a whole: a receiver throws half a one away."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._connecting = False
        self._sent = 0
        self._not_before_s = self._clock.monotonic_s() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _await_room(self, patience_ms: int) -> bool:
        if self._socket is None:
            return False
        ready = select.poll()
        ready.register(self._socket, select.POLLOUT)
        return bool(ready.poll(patience_ms))

    def _tend_later(self) -> None:
        """Lines that wait must not wait for the next line: a quiet service has none."""
        if not self._waiting or self._tending is not None:
            return
        with contextlib.suppress(RuntimeError):  # no loop yet, or another thread: the next line
            self._tending = asyncio.get_running_loop().call_later(_TEND_S, self._tend)

    def _tend(self) -> None:
        with self.lock or contextlib.nullcontext():
            self._tending = None
            self._push()
            self._tend_later()


def _datagram_address(address: UnixOrTcp) -> tuple[int, Any]:  # Any: socket's own _Address
    if address.tcp is None:
        return socket.AF_UNIX, address.path
    found = socket.getaddrinfo(address.tcp.host, address.tcp.port, type=socket.SOCK_DGRAM)[0]
    return found[0], found[4]


def _not_reached(where: str, wrong: OSError) -> StartError:
    return StartError(f"syslog = {where}: cannot be reached: {wrong.strerror or wrong}")
