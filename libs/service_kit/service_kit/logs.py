"""One line an event, for machines by default: what happened, then the facts.

    event(LOG, logging.INFO, "session ended", session=ref.session_id, helo=b"me.example")
    {"ts":"2026-01-02T03:04:05.678Z","level":"info","service":"edge-proxy","event":…}

Promises: whatever a stranger sent, one event is one line and nothing in it can forge another
or steer a terminal (``escaping``); writing never waits (``log_delivery``): a reader that does
not keep up costs lines, which are counted, not sessions. Lines of libraries (grpc, uvicorn,
redis) take the same way with event "library"; uvicorn must be given log_config=None.
Credentials are never given to ``event``.
"""

import logging
import sys
from types import TracebackType
from typing import Final, Literal

from service_kit.addresses import UnixOrTcp
from service_kit.config import Settings
from service_kit.escaping import for_log
from service_kit.log_delivery import StreamHandOff, SyslogHandOff
from service_kit.log_formats import Facility, JsonFormat, SyslogFormat, TextFormat

__all__ = ["LogSettings", "configure", "event", "for_log"]

_STDERR: Final = 2


class LogSettings(Settings):
    format: Literal["json", "syslog", "text"] = "json"
    """json: one object a line on stderr; syslog: RFC 5424; text: for people, on stderr."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe events that are written."""
    syslog: UnixOrTcp = UnixOrTcp(path="/dev/log")
    """With format syslog: a UNIX datagram socket, or host:port for UDP."""
    facility: Facility = "mail"
    """With format syslog: the facility of RFC 5424 §6.2.1."""


def configure(settings: LogSettings, service: str) -> None:
    """Send every logger of the process where the settings say. Callable again.

    Raises StartError when the syslog socket is not there.
    """
    root = logging.getLogger()
    hand_off: logging.Handler
    if settings.format == "syslog":
        hand_off = SyslogHandOff(settings.syslog)
        hand_off.setFormatter(SyslogFormat(service, settings.facility))
    else:
        hand_off = StreamHandOff(_STDERR)
        hand_off.setFormatter(
            TextFormat(service) if settings.format == "text" else JsonFormat(service)
        )
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
