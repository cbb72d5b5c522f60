import contextlib
import fcntl
import json
import logging
import os
import select
import threading
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from service_kit import log_delivery
from service_kit.log_delivery import StreamHandOff
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
