"""One line an event, for machines by default: what happened, then the facts.

    event(LOG, logging.INFO, "session ended", session=ref.session_id, helo=b"me.example")
    {"ts":"2026-01-02T03:04:05.678Z","level":"info","service":"edge-proxy","event":…}

Promises: whatever a stranger sent, one event is one line and nothing in it can forge another
or steer a terminal (``escaping``); writing never waits (``log_delivery``, ``syslog_delivery``):
a reader that does not keep up costs lines, which are counted, not sessions. Lines of libraries
(grpc, uvicorn, redis) take the same way with event "library"; uvicorn must be given
log_config=None.
Credentials are never given to ``event``.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from service_kit.addresses import UnixOrTcp
from service_kit.config import Settings
from service_kit.escaping import for_log
from service_kit.log_delivery import HandOff, StreamHandOff
from service_kit.log_formats import (
    Facility,
    JsonFormat,
    StructuredSyslogFormat,
    SyslogFormat,
    TextFormat,
)
from service_kit.syslog_delivery import SyslogDatagrams, SyslogStream

__all__ = ["LogSettings", "configure", "event", "for_log"]

_STDERR: Final = 2


class LogSettings(Settings):
    format: Literal["json", "syslog", "text"] = "json"
    """json: one object a line on stderr; syslog: RFC 5424; text: for people, on stderr."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe events that are written."""
    syslog: UnixOrTcp = UnixOrTcp(path="/dev/log")
    """With format syslog: a UNIX datagram socket, or host:port."""
    syslog_transport: Literal["udp", "tcp"] = "udp"
    """With syslog = host:port. tcp: each line preceded by its length (RFC 6587 §3.4.1)."""
    facility: Facility = "mail"
    """With format syslog: the facility of RFC 5424 §6.2.1."""
    syslog_facts: Literal["text", "structured"] = "text"
    """With format syslog. text: key=value in the message; structured: RFC 5424 §6.3."""
    enterprise_number: int = Field(default=32473, ge=1, le=2**31 - 1)
    """With syslog_facts structured: yours in smtpgated@N; 32473 is for examples (RFC 5612)."""

    @model_validator(mode="after")
    def _tcp_needs_a_receiver(self) -> Self:
        if self.syslog_transport == "tcp" and self.syslog.tcp is None:
            raise ValueError(f"syslog_transport tcp needs syslog = host:port, not {self.syslog}")
        return self


def configure(settings: LogSettings, service: str) -> None:
    """Send every logger of the process where the settings say. Callable again.

    Raises StartError when the syslog socket is not there or its name does not resolve.
    """
    root = logging.getLogger()
    hand_off = _way_out(settings)
    hand_off.setFormatter(_FORMATS[settings.format](settings, service))
    for previous in tuple(root.handlers):
        root.removeHandler(previous)
        previous.close()
    root.addHandler(hand_off)
    root.setLevel(settings.level.upper())
    for library in tuple(root.manager.loggerDict.values()):
        if isinstance(library, logging.Logger):  # some come with a way of their own
            library.handlers.clear()
            library.propagate = True
    logging.captureWarnings(capture=True)
    sys.excepthook = _last_line


def _way_out(settings: LogSettings) -> HandOff:
    if settings.format != "syslog":
        return StreamHandOff(_STDERR)
    receiver = settings.syslog.tcp
    if receiver is None or settings.syslog_transport == "udp":
        return SyslogDatagrams(settings.syslog)
    stream = SyslogStream(receiver)
    if not stream.connected:
        sys.stderr.write(f"syslog = {receiver}: does not answer; lines wait for it\n")
    return stream


def _syslog_format(settings: LogSettings, service: str) -> logging.Formatter:
    if settings.syslog_facts == "structured":
        return StructuredSyslogFormat(service, settings.facility, settings.enterprise_number)
    return SyslogFormat(service, settings.facility)


_FORMATS: Final[Mapping[str, Callable[[LogSettings, str], logging.Formatter]]] = {
    "json": lambda _settings, service: JsonFormat(service),
    "text": lambda _settings, service: TextFormat(service),
    "syslog": _syslog_format,
}


def event(
    logger: logging.Logger,
    level: int,
    name: str,
    /,
    *,
    exc_info: BaseException | None = None,
    **fields: object,
) -> None:
    """One line, if the level is on. ``name`` is a constant, the facts go into fields.

    Octets and text are escaped and cut; enums are written by name; numbers stay numbers.
    """
    if not logger.isEnabledFor(level):
        return
    # Not logger.log(): it walks the stack for a file and line that no format shows.
    trace = (type(exc_info), exc_info, exc_info.__traceback__) if exc_info is not None else None
    record = logging.LogRecord(logger.name, level, "", 0, name, None, trace)
    record.fields = fields
    logger.handle(record)


def _last_line(
    kind: type[BaseException], error: BaseException, _trace: TracebackType | None
) -> None:
    logging.getLogger(__name__).critical("the process ends: %s", kind.__name__, exc_info=error)
