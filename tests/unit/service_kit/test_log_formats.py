import json
import logging
import re
from enum import Enum, auto
from typing import Any, get_args

import pytest

from service_kit.addresses import HostPort
from service_kit.log_formats import (
    FACILITIES,
    LONGEST_LINE,
    Facility,
    JsonFormat,
    SyslogFormat,
    TextFormat,
    rfc3339,
)


class _Verdict(Enum):
    INFECTED = auto()


def _record(name: str = "session ended", **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("edge_proxy", logging.INFO, "", 0, name, None, None)
    record.created, record.msecs = 1_767_323_045.678, 678.0
    record.fields = fields
    return record


def _json(record: logging.LogRecord) -> dict[str, object]:
    shown = json.loads(JsonFormat("edge-proxy").octets(record))
    assert isinstance(shown, dict)
    return shown


def test_a_json_line_begins_with_when_how_bad_who_and_what() -> None:
    assert JsonFormat("edge-proxy").octets(_record(size=3)) == (
        b'{"ts":"2026-01-02T03:04:05.678Z","level":"info","service":"edge-proxy",'
        b'"event":"session ended","size":3}'
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3, 3),
        (0.5, 0.5),
        (float("nan"), "nan"),
        (True, True),
        (None, None),
        ("jürgen", "jürgen"),
        ("a\nb", r"a\x0ab"),
        (b"\xff\r\n", r"\xff\x0d\x0a"),
        (_Verdict.INFECTED, "infected"),
        (HostPort("::1", 25), "[::1]:25"),
        ([b"a", 1], ["a", 1]),
        ((b"a",), ["a"]),
        ({"k\n": b"v"}, {r"k\x0a": "v"}),
        (ValueError("a\n"), [r"ValueError: a\x0a"]),
    ],
)
def test_facts_keep_their_kind_and_lose_their_controls(value: object, shown: object) -> None:
    assert _json(_record(fact=value))["fact"] == shown


def test_a_fact_cannot_take_the_place_of_our_own() -> None:
    shown = _json(_record(level="none", event="forged"))
    assert (shown["level"], shown["event"]) == ("info", "session ended")
    assert (shown["level_"], shown["event_"]) == ("none", "forged")


def test_an_exception_is_shown_with_its_cause_and_where_it_came_from() -> None:
    record = _record("task failed")
    with pytest.raises(ValueError, match="outer") as caught:
        raise ValueError("outer") from KeyError("inner")
    record.exc_info = (ValueError, caught.value, caught.value.__traceback__)
    shown = _json(record)
    assert shown["error"] == ["ValueError: outer", "KeyError: 'inner'"]
    assert re.search(r"test_log_formats\.py:\d+ test_an_exception", str(shown["traceback"]))


def test_a_line_of_a_library_is_one_event_of_ours() -> None:
    record = logging.LogRecord("uvicorn", logging.WARNING, "", 0, "a %s\nb", ("x",), None)
    shown = _json(record)
    assert (shown["event"], shown["logger"], shown["text"]) == ("library", "uvicorn", r"a x\x0ab")


@pytest.mark.parametrize(
    "fields",
    [
        {"stranger": b"\x00" * 100_000},
        {f"field{number}": "ü" * 2000 for number in range(20)},
        {"nested": [["x" * 1000] * 1000] * 1000},
        dict.fromkeys((f"field{number}" for number in range(2000)), 1),
    ],
)
def test_a_line_fits_into_a_pipe_in_one_piece_and_stays_json(fields: dict[str, Any]) -> None:
    octets = JsonFormat("edge-proxy").octets(_record(**fields))
    assert len(octets) <= LONGEST_LINE
    assert json.loads(octets)["event"] == "session ended"


def test_text_is_for_people() -> None:
    line = TextFormat("edge-proxy").format(_record(helo=b'a "b', empty="", n=[1], plain="x"))
    assert re.fullmatch(
        r'\d\d:04:05\.678 info    edge-proxy session ended helo="a \\"b" empty="" n=\[1\] plain=x',
        line,
    )


def test_text_cannot_forge_a_pair() -> None:
    line = TextFormat("edge-proxy").format(_record(helo=b"x verdict=clean"))
    assert line.endswith('helo="x verdict=clean"')


def test_a_syslog_line_is_rfc_5424() -> None:
    line = SyslogFormat("edge-proxy", "mail").octets(_record(helo="jürgen\n"))
    assert re.fullmatch(
        rb"<22>1 2026-01-02T03:04:05\.678Z \S+ edge-proxy \d+ session_ended - "
        rb"session ended helo=j\\u00fcrgen\\x0a",
        line,
    )


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (logging.CRITICAL, 2),
        (logging.ERROR, 3),
        (logging.WARNING, 4),
        (logging.INFO, 6),
        (logging.DEBUG, 7),
    ],
)
def test_levels_are_severities_of_syslog(level: int, severity: int) -> None:
    record = _record()
    record.levelno = level
    line = SyslogFormat("edge-proxy", "local7").octets(record)
    assert line.startswith(f"<{23 * 8 + severity}>1 ".encode())


def test_every_facility_that_can_be_configured_has_a_code() -> None:
    assert set(get_args(Facility)) == set(FACILITIES)


def test_moments_are_utc_with_milliseconds() -> None:
    assert rfc3339(0.0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_767_323_045.9996) == "2026-01-02T03:04:05.999Z"
