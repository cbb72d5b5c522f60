"""From a log record to the octets of one line: JSON, RFC 5424 syslog, or text for people.

A line is at most LONGEST_LINE octets: so it reaches a pipe in one piece, also when several
worker processes share it (pipe(7): PIPE_BUF), and most syslog receivers whole. When the facts
are longer, each is cut shorter, and the cut says how much is missing.
"""

import itertools
import json
import logging
import math
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from types import NoneType
from typing import Any, Final, Literal

from service_kit.escaping import ascii_only, for_log, text_for_log

LONGEST_LINE: Final = 4096
# What one fact may be long, tried in this order until the line fits.
_LIMITS: Final = (1024, 256, 64, 16)
_MOST_ITEMS: Final = 64
_LONGEST_CHAIN: Final = 4
_OUR_KEYS: Final = frozenset({"ts", "level", "service", "event"})

# RFC 5424 §6.2.1, numerical codes.
Facility = Literal[
    "user", "mail", "daemon", "local0", "local1", "local2", "local3", "local4", "local5",
    "local6", "local7",
]  # fmt: skip
FACILITIES: Final[Mapping[Facility, int]] = {
    "user": 1, "mail": 2, "daemon": 3, "local0": 16, "local1": 17, "local2": 18, "local3": 19,
    "local4": 20, "local5": 21, "local6": 22, "local7": 23,
}  # fmt: skip
_SEVERITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4),
                      (logging.INFO, 6))  # fmt: skip
_DEBUG_SEVERITY: Final = 7


class _Format(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def octets(self, record: logging.LogRecord) -> bytes:
        """The line without its end."""
        for limit in _LIMITS:
            line = self._line(record, facts(record, limit)).encode("utf-8", "backslashreplace")
            if len(line) <= LONGEST_LINE:
                return line
        bare: dict[str, object] = {"event": record.msg, "facts": "too many for one line"}
        return self._line(record, bare).encode("utf-8", "backslashreplace")

    def format(self, record: logging.LogRecord) -> str:
        return self.octets(record).decode("utf-8", "replace")

    def _line(self, record: logging.LogRecord, fields: dict[str, object]) -> str:
        raise NotImplementedError


class JsonFormat(_Format):
    """One object: ts, level, service, event, then the facts in the order they were given."""

    def _line(self, record: logging.LogRecord, fields: dict[str, object]) -> str:
        head = {
            "ts": rfc3339(record.created),
            "level": record.levelname.lower(),
            "service": self._service,
        }
        return json.dumps(head | fields, ensure_ascii=False, separators=(",", ":"))


class TextFormat(_Format):
    """For a person at a terminal: local time of day, level, service, event, facts."""

    def _line(self, record: logging.LogRecord, fields: dict[str, object]) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        head = f"{clock}.{int(record.msecs):03d} {record.levelname.lower():<7} {self._service:<10}"
        return f"{head} {pairs(fields)}"


class SyslogFormat(_Format):
    """RFC 5424 §6, without structured data: the facts are the text, as key=value."""

    def __init__(self, service: str, facility: Facility) -> None:
        super().__init__(service)
        self._facility = FACILITIES[facility]
        host = ascii_only(text_for_log(socket.gethostname(), 255)).replace(" ", "_")
        self._origin = f"{host or '-'} {service} {os.getpid()}"

    def _line(self, record: logging.LogRecord, fields: dict[str, object]) -> str:
        severity = next(
            (code for level, code in _SEVERITIES if record.levelno >= level), _DEBUG_SEVERITY
        )
        priority = self._facility * 8 + severity
        kind = str(fields["event"]).replace(" ", "_")[:32]  # MSGID = 1*32PRINTUSASCII
        head = f"<{priority}>1 {rfc3339(record.created)} {self._origin} {kind}"
        return f"{head} {self._body(fields)}"

    def _body(self, fields: dict[str, object]) -> str:
        """STRUCTURED-DATA and MSG. ASCII only (§6.4 MSG-ANY): UTF-8 would have to begin with a
        BOM, which many receivers show as rubbish."""
        return f"- {ascii_only(pairs(fields))}"


class StructuredSyslogFormat(SyslogFormat):
    """RFC 5424 §6.3: the facts are parameters of one element, the text is the event's name."""

    def __init__(self, service: str, facility: Facility, enterprise_number: int) -> None:
        super().__init__(service, facility)
        self._element = f"smtpgated@{enterprise_number}"

    def _body(self, fields: dict[str, object]) -> str:
        (_, name), *rest = fields.items()
        parameters = "".join(f' {key[:32]}="{_parameter(value)}"' for key, value in rest)
        return f"[{self._element}{parameters}] {ascii_only(str(name))}"


def facts(record: logging.LogRecord, limit: int) -> dict[str, object]:
    """Event name and fields, everything in them safe to show."""
    given: Mapping[str, object] | None = getattr(record, "fields", None)
    if given is None:  # a library's own line
        shown: dict[str, object] = {
            "event": "library",
            "logger": record.name,
            "text": text_for_log(record.getMessage(), limit),
        }
    else:
        shown = {"event": record.msg}
        for name, value in given.items():
            shown[f"{name}_" if name in _OUR_KEYS else name] = _fact(value, limit)
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        shown["error"] = _fact(error, limit)
        shown["traceback"] = _traceback(error, 2 * limit)
    return shown


def pairs(fields: Mapping[str, object]) -> str:
    """The event's name, then key=value; a value that a space could split is quoted."""
    head, *rest = fields.items()
    return " ".join((str(head[1]), *(f"{name}={_quoted(value)}" for name, value in rest)))


def rfc3339(unix_s: float) -> str:
    """UTC with milliseconds (RFC 3339 §5.6)."""
    whole_s, ms = divmod(int(unix_s * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole_s))}.{ms:03d}Z"


def _fact(value: object, limit: int) -> object:
    for kinds, shown in _SHOWN:
        if isinstance(value, kinds):
            return shown(value, limit)
    return text_for_log(str(value), limit)


def _mapping(value: Mapping[object, object], limit: int) -> object:
    some = itertools.islice(value.items(), _MOST_ITEMS)
    return {text_for_log(str(key), limit): _fact(each, limit) for key, each in some}


def _items(value: Iterable[object], limit: int) -> object:
    return [_fact(each, limit) for each in itertools.islice(value, _MOST_ITEMS)]


def _error(value: BaseException, limit: int) -> object:
    """The error and what it came from, outermost first."""
    chain = [value]
    while len(chain) < _LONGEST_CHAIN and chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    return [text_for_log(f"{type(each).__name__}: {each}", limit) for each in chain]


# The first row that fits decides; what fits none is shown as str() says it.
_SHOWN: Final[tuple[tuple[tuple[type, ...], Callable[[Any, int], object]], ...]] = (
    ((str,), text_for_log),
    ((bytes,), for_log),
    ((Enum,), lambda member, _limit: member.name.lower()),
    ((int, NoneType), lambda plain, _limit: plain),
    # JSON has no NaN and no infinity.
    ((float,), lambda number, _limit: number if math.isfinite(number) else str(number)),
    ((Mapping,), _mapping),
    ((list, tuple, set, frozenset), _items),
    ((BaseException,), _error),
)


def _traceback(error: BaseException, limit: int) -> list[str]:
    """Innermost frames last, one string a frame: the last ``limit`` characters of them."""
    kept: list[str] = []
    trace = error.__traceback__
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    for frame in reversed(frames):
        limit -= len(frame)
        if limit < 0:
            break
        kept.insert(0, text_for_log(frame, 512))
    return kept


def _quoted(value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    plain = value and value[0] not in "[{" and not any(mark in value for mark in ' "=')
    return value if plain else '"{}"'.format(value.replace('"', '\\"'))


# RFC 5424 §6.3.3: inside a PARAM-VALUE these three, and no other, stand behind a backslash.
_PARAMETER_ESCAPES: Final = str.maketrans({'"': '\\"', "\\": "\\\\", "]": "\\]"})


def _parameter(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.translate(_PARAMETER_ESCAPES)
