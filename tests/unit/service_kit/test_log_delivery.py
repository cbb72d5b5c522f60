import contextlib
import fcntl
import json
import logging
import os
import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from service_kit import log_delivery
from service_kit.addresses import HostPort, UnixOrTcp
from service_kit.errors import StartError
from service_kit.log_delivery import StreamHandOff, SyslogHandOff
from service_kit.log_formats import JsonFormat


class _Pipe(NamedTuple):
    out: int
    into: int


@pytest.fixture
def pipe() -> Iterator[_Pipe]:
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 65536)
    yield _Pipe(out, into)
    for descriptor in (out, into):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _record(number: int, **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("x", logging.INFO, "", 0, "counted", None, None)
    record.fields = {"number": number, **fields}
    return record


def _stream(pipe: _Pipe, most_waiting: int = 10) -> StreamHandOff:
    hand_off = StreamHandOff(pipe.into, most_waiting)
    hand_off.setFormatter(JsonFormat("unit"))
    return hand_off


def _lines(octets: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in octets.splitlines()]


def test_a_line_is_written_at_once_and_whole(pipe: _Pipe) -> None:
    _stream(pipe).emit(_record(1))
    (line,) = _lines(os.read(pipe.out, 65536))
    assert line["number"] == 1


def test_a_reader_that_does_not_read_costs_lines_and_no_waiting(pipe: _Pipe) -> None:
    hand_off = _stream(pipe)
    for number in range(5000):  # would block for ever after some six hundred
        hand_off.emit(_record(number))
    read = os.read(pipe.out, 65536)
    hand_off.emit(_record(5000))
    while select.select([pipe.out], [], [], 0)[0]:
        read += os.read(pipe.out, 65536)
        hand_off.flush()
    lines = _lines(read)
    numbers = [int(str(line["number"])) for line in lines if line["event"] == "counted"]
    (lost,) = [line["count"] for line in lines if line["event"] == "log lines lost"]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 5000
    assert isinstance(lost, int)
    assert len(numbers) + lost == 5001


def test_what_waits_is_written_at_the_end_if_the_reader_comes_back(
    pipe: _Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_delivery, "_LAST_CHANCE_MS", 20_000)
    hand_off = _stream(pipe, most_waiting=100)
    padding = "x" * 900
    for number in range(72):
        hand_off.emit(_record(number, padding=padding))
    read = bytearray()
    closed = threading.Event()

    def reader() -> None:
        while not closed.is_set() or select.select([pipe.out], [], [], 0)[0]:
            if select.select([pipe.out], [], [], 0.01)[0]:
                read.extend(os.read(pipe.out, 65536))

    thread = threading.Thread(target=reader)
    thread.start()
    hand_off.close()
    closed.set()
    thread.join()
    assert [line["number"] for line in _lines(bytes(read))] == list(range(72))


def test_a_reader_that_is_gone_is_no_error(pipe: _Pipe) -> None:
    hand_off = _stream(pipe)
    os.close(pipe.out)
    for number in range(50):
        hand_off.emit(_record(number))
    hand_off.close()


def test_a_closed_descriptor_is_no_error(pipe: _Pipe) -> None:
    hand_off = _stream(pipe)
    os.close(pipe.into)
    hand_off.emit(_record(1))
    hand_off.close()


def _syslogd(path: Path) -> socket.socket:
    daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    daemon.bind(str(path))
    daemon.setblocking(False)
    return daemon


def test_syslog_is_sent_to_a_unix_socket_and_to_its_successor(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with _syslogd(path) as first:
        hand_off = SyslogHandOff(UnixOrTcp(path=str(path)))
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
        hand_off = SyslogHandOff(UnixOrTcp(path=str(path)))
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
        hand_off = SyslogHandOff(UnixOrTcp(tcp=HostPort(*daemon.getsockname())))
        hand_off.setFormatter(JsonFormat("unit"))
        hand_off.emit(_record(1))
        assert b'"number":1' in daemon.recv(4096)
        hand_off.close()


def test_a_syslog_socket_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"syslog = .*: cannot be reached: No such file"):
        SyslogHandOff(UnixOrTcp(path=str(tmp_path / "log")))
