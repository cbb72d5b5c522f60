"""One event is one line, and its facts can be read back, in every format, whatever came."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.log_formats import (
    LONGEST_LINE,
    JsonFormat,
    StructuredSyslogFormat,
    SyslogFormat,
    TextFormat,
    facts,
)

_NASTY: Final = [
    b"\r\n<22>1 2026-01-01T00:00:00Z forged x 1 forged - forged", b"\n", b"\r", b"\0", b"\x1b[2J",
    b'"', b"\\", b"]", b"[", b"{", b'"] forged ["', b'\\"', b"\\]", b" verdict=clean", b"=", b" ",
    b"\xef\xbb\xbf", "ü€😀\u202e\u2028".encode(), b"\xff\xfe", b"\\u00fc", b"\\x0a", b"[1]",
]  # fmt: skip
_OCTETS: Final = st.lists(st.one_of(st.sampled_from(_NASTY), st.binary(max_size=8))).map(b"".join)
_VALUES: Final = st.one_of(
    _OCTETS, st.text(), st.integers(), st.none(), st.booleans(), st.lists(_OCTETS, max_size=4)
)
_NAMES: Final = st.sampled_from(["helo", "sender", "recipients", "found", "identity", "detail"])
_FIELDS: Final = st.dictionaries(_NAMES, _VALUES, max_size=6)

_HEAD: Final = re.compile(r"<\d{1,3}>1 \S+ \S+ edge-proxy \d+ (\S{1,32}) (?s:(.*))")
_PAIR: Final = re.compile(r' (\w+)=("(?:[^"\\]|\\.)*"|[^ "\[{][^ "=]*(?= |$)|[\[{])')
_PARAMETER: Final = re.compile(r' ([!#-<>-\\^-~]{1,32})="((?:[^"\\\]]|\\["\\\]])*)"')


def _record(fields: dict[str, object]) -> logging.LogRecord:
    record = logging.LogRecord("edge_proxy", logging.INFO, "", 0, "transaction", None, None)
    record.fields = fields
    return record


def _from_json(line: str) -> dict[str, object]:
    shown: dict[str, object] = json.loads(line)
    for key in ("ts", "level", "service"):
        del shown[key]
    return shown


def _from_pairs(text: str) -> dict[str, object]:
    """A reader that knows nothing of our facts: name=value, quoted, or JSON in brackets."""
    assert text.startswith("transaction")
    found: dict[str, object] = {"event": "transaction"}
    at = len("transaction")
    while at < len(text):
        pair = _PAIR.match(text, at)
        assert pair, text[at:]
        name, value = pair.groups()
        assert name not in found
        at = pair.end()
        if value in ("[", "{"):
            found[name], length = json.JSONDecoder().raw_decode(text[at - 1 :])
            at += length - 1
        else:
            quoted = value.startswith('"')
            found[name] = value[1:-1].replace('\\"', '"') if quoted else value
    return found


def _from_text(line: str) -> dict[str, object]:
    return _from_pairs(line.partition("edge-proxy ")[2])


def _from_syslog(line: str) -> dict[str, object]:
    assert line.isascii()  # so no BOM is needed (RFC 5424 §6.4)
    head = _HEAD.fullmatch(line)
    assert head
    body = head[2]
    assert body.startswith("- ")
    return _from_pairs(body.removeprefix("- "))


def _from_structured(line: str) -> dict[str, object]:
    head = _HEAD.fullmatch(line)
    assert head
    body = head[2]
    assert body.startswith("[smtpgated@32473")
    at = len("[smtpgated@32473")
    found: dict[str, object] = {"event": "transaction"}
    while parameter := _PARAMETER.match(body, at):
        name, value = parameter.groups()
        assert name not in found
        found[name] = re.sub(r'\\(["\\\]])', r"\1", value)
        at = parameter.end()
    assert body[at:] == "] transaction"
    return found


def _as_json(value: object) -> object:
    return value


def _as_text(value: object) -> object:
    """Text and lists are themselves; numbers, truth and nothing as JSON spells them."""
    return value if isinstance(value, str | list) else json.dumps(value)


def _as_ascii_text(value: object) -> object:
    if isinstance(value, str):
        return "".join(each if each.isascii() else json.dumps(each)[1:-1] for each in value)
    return _as_text(value)


def _as_parameter(value: object) -> object:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_FORMATS: Final[list[Any]] = [
    pytest.param(JsonFormat("edge-proxy"), _from_json, _as_json, id="json"),
    pytest.param(TextFormat("edge-proxy"), _from_text, _as_text, id="text"),
    pytest.param(SyslogFormat("edge-proxy", "mail"), _from_syslog, _as_ascii_text, id="syslog"),
    pytest.param(
        StructuredSyslogFormat("edge-proxy", "mail", 32473),
        _from_structured,
        _as_parameter,
        id="structured syslog",
    ),
]


@pytest.mark.parametrize(("form", "read", "shown"), _FORMATS)
@given(fields=_FIELDS)
def test_an_event_is_one_line_and_its_facts_come_back(
    form: Any,
    read: Callable[[str], dict[str, object]],
    shown: Callable[[object], object],
    fields: dict[str, object],
) -> None:
    record = _record(fields)
    octets = form.octets(record)
    line = octets.decode("utf-8")
    assert len(octets) <= LONGEST_LINE
    assert "".join(each if each.isprintable() else "�" for each in line) == line
    assert len(line.splitlines()) == 1
    wanted = [
        {name: shown(value) for name, value in facts(record, limit).items()}
        for limit in (1024, 256, 64, 16)
    ]
    assert read(line) in wanted
