import asyncio
import contextlib
import json
import logging
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from service_kit import syslog_delivery
from service_kit.addresses import HostPort, UnixOrTcp
from service_kit.clock import ManualClock
from service_kit.errors import StartError
from service_kit.log_formats import JsonFormat
from service_kit.syslog_delivery import (
    CONNECT_S,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    SyslogDatagrams,
    SyslogStream,
)
from tests.support.eventually import eventually


def _record(number: int, **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("x", logging.INFO, "", 0, "counted", None, None)
    record.fields = {"number": number, **fields}
    return record


def _syslogd(path: Path) -> socket.socket:
    daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    daemon.bind(str(path))
    daemon.setblocking(False)
    return daemon


def test_syslog_is_sent_to_a_unix_socket_and_to_its_successor(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with _syslogd(path) as first:
        hand_off = SyslogDatagrams(UnixOrTcp(path=str(path)))
        hand_off.setFormatter(JsonFormat("unit"))
        hand_off.emit(_record(1))
        assert b'"number":1' in first.recv(4096)
    path.unlink()
    hand_off.emit(_record(2))
    with _syslogd(path) as second:
        hand_off.emit(_record(3))
        assert b'"event":"log lines lost","count":1' in second.recv(4096)
        assert b'"number":3' in second.recv(4096)
    hand_off.close()


def test_syslog_that_does_not_read_costs_lines_and_no_waiting(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with _syslogd(path) as daemon:
        hand_off = SyslogDatagrams(UnixOrTcp(path=str(path)))
        hand_off.setFormatter(JsonFormat("unit"))
        for number in range(5000):
            hand_off.emit(_record(number))
        received = 0
        with contextlib.suppress(BlockingIOError):
            while daemon.recv(4096):
                received += 1
        assert 0 < received < 5000
        hand_off.close()


def test_syslog_is_sent_over_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(10)
        hand_off = SyslogDatagrams(UnixOrTcp(tcp=HostPort(*daemon.getsockname())))
        hand_off.setFormatter(JsonFormat("unit"))
        hand_off.emit(_record(1))
        assert b'"number":1' in daemon.recv(4096)
        hand_off.close()


def test_a_syslog_socket_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"syslog = .*: cannot be reached: No such file"):
        SyslogDatagrams(UnixOrTcp(path=str(tmp_path / "log")))


class _Receiver:
    """A syslog receiver on TCP that understands nothing but counted frames."""

    def __init__(self, port: int = 0) -> None:
        self.listening = socket.create_server(("127.0.0.1", port))
        self.listening.settimeout(10)
        self.address = HostPort(*self.listening.getsockname())
        self._accepted: socket.socket | None = None
        self._octets = b""

    def accept(self) -> None:
        self._accepted, _ = self.listening.accept()
        self._accepted.settimeout(10)
        self._octets = b""

    def frame(self) -> bytes:
        """The next one, which has come or is coming."""
        if self._accepted is None:
            self.accept()
        while (frame := self._whole_frame()) is None:
            assert self._accepted is not None
            more = self._accepted.recv(65_536)
            assert more, "the connection has ended"
            self._octets += more
        return frame

    def numbers(self, count: int) -> list[int]:
        return [json.loads(self.frame())["number"] for _ in range(count)]

    def hang_up(self) -> None:
        if self._accepted is not None:
            self._accepted.close()
            self._accepted = None

    def close(self) -> None:
        self.hang_up()
        self.listening.close()

    def _whole_frame(self) -> bytes | None:
        length, space, rest = self._octets.partition(b" ")
        if not space or len(rest) < int(length):
            return None
        self._octets = rest[int(length) :]
        return rest[: int(length)]


@pytest.fixture
def receiver() -> Iterator[_Receiver]:
    receiver = _Receiver()
    yield receiver
    receiver.close()


def _stream(
    address: HostPort, clock: ManualClock | None = None, most_waiting: int = 10
) -> SyslogStream:
    hand_off = SyslogStream(address, most_waiting, clock or ManualClock())
    hand_off.setFormatter(JsonFormat("unit"))
    return hand_off


def _nobody() -> HostPort:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return HostPort(*gone.getsockname())


def _until_refused(hand_off: SyslogStream) -> None:
    """A refused connection is seen when it is looked at."""
    while hand_off._socket is not None:
        hand_off._push()


def test_a_line_over_tcp_is_preceded_by_its_length(receiver: _Receiver) -> None:
    hand_off = _stream(receiver.address)
    hand_off.emit(_record(1, text="not\nan end"))
    hand_off.emit(_record(2))
    assert json.loads(receiver.frame())["text"] == r"not\x0aan end"
    assert receiver.numbers(1) == [2]
    hand_off.close()


def test_lines_wait_for_a_receiver_that_is_away_and_come_in_order(receiver: _Receiver) -> None:
    clock = ManualClock()
    hand_off = _stream(receiver.address, clock)
    hand_off.emit(_record(1))
    assert receiver.numbers(1) == [1]
    receiver.close()
    assert hand_off._socket is not None
    select.select([hand_off._socket], [], [], 10)
    for number in (2, 3, 4):
        hand_off.emit(_record(number))
    _until_refused(hand_off)
    again = _Receiver(receiver.address.port)
    clock.advance(LONGEST_PAUSE_S)
    hand_off.emit(_record(5))
    hand_off._await_room(10_000)
    hand_off.emit(_record(6))
    assert again.numbers(5) == [2, 3, 4, 5, 6]
    hand_off.close()
    again.close()


def test_more_lines_than_may_wait_are_lost_and_counted(receiver: _Receiver) -> None:
    clock = ManualClock()
    hand_off = _stream(_nobody(), clock, most_waiting=3)
    _until_refused(hand_off)
    for number in range(8):
        hand_off.emit(_record(number))
    hand_off._addresses[0] = (socket.AF_INET, receiver.listening.getsockname())
    clock.advance(LONGEST_PAUSE_S)
    hand_off._push()
    hand_off._await_room(10_000)
    hand_off.emit(_record(8))
    assert receiver.numbers(3) == [0, 1, 2]
    lost = json.loads(receiver.frame())
    assert (lost["event"], lost["count"]) == ("log lines lost", 5)
    assert receiver.numbers(1) == [8]
    hand_off.close()


def test_a_frame_that_was_cut_is_sent_again_as_a_whole(receiver: _Receiver) -> None:
    clock = ManualClock()
    hand_off = _stream(receiver.address, clock, most_waiting=4000)
    receiver.accept()
    number = 0
    while not hand_off._sent:  # until the kernel has taken a part of one
        hand_off.emit(_record(number, padding="x" * 3000))
        number += 1
        assert number < 4000
    cut = json.loads(hand_off._waiting[0].partition(b" ")[2])["number"]
    waiting = len(hand_off._waiting)
    receiver.hang_up()
    hand_off._disconnect()
    clock.advance(LONGEST_PAUSE_S)
    hand_off._push()
    hand_off._await_room(10_000)
    hand_off._push()
    assert receiver.numbers(waiting) == list(range(cut, cut + waiting))
    hand_off.close()


def test_connecting_is_tried_again_with_pauses_that_grow() -> None:
    clock = ManualClock()
    hand_off = _stream(_nobody(), clock)
    pauses = []
    for _ in range(9):
        _until_refused(hand_off)
        pauses.append(hand_off._not_before_s - clock.monotonic_s())
        clock.advance(pauses[-1])
        hand_off._push()
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses[-1] == LONGEST_PAUSE_S
    hand_off.close()


def test_a_connection_that_is_never_made_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    hand_off = _stream(_nobody(), clock)
    _until_refused(hand_off)
    monkeypatch.setattr(hand_off, "_await_room", lambda _patience_ms: False)  # a silent network
    clock.advance(LONGEST_PAUSE_S)
    hand_off.emit(_record(1))
    assert not hand_off.connected
    assert hand_off._socket is not None
    clock.advance(CONNECT_S)
    hand_off.emit(_record(2))
    assert hand_off._socket is None
    monkeypatch.undo()
    hand_off.close()


async def test_a_line_that_waits_needs_no_other_line_to_be_sent(
    receiver: _Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syslog_delivery, "_TEND_S", 0.001)
    clock = ManualClock()
    hand_off = _stream(_nobody(), clock)
    _until_refused(hand_off)
    hand_off._addresses[0] = (socket.AF_INET, receiver.listening.getsockname())
    hand_off.emit(_record(1))
    clock.advance(LONGEST_PAUSE_S)
    await eventually(lambda: not hand_off._waiting)
    assert await asyncio.to_thread(receiver.numbers, 1) == [1]
    hand_off.close()


def test_what_waits_at_the_end_is_sent_if_it_can_be(receiver: _Receiver) -> None:
    hand_off = _stream(receiver.address)
    with_room, hand_off._push = hand_off._push, lambda: None  # type: ignore[method-assign]  # a moment without room
    hand_off.emit(_record(1))
    hand_off._push = with_room  # type: ignore[method-assign]  # room again
    hand_off.close()
    assert receiver.numbers(1) == [1]


def test_a_name_that_does_not_resolve_is_told_at_the_start() -> None:
    with pytest.raises(StartError, match=r"syslog = no\.invalid:601: cannot be reached: "):
        SyslogStream(HostPort("no.invalid", 601))
