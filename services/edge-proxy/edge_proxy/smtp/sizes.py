"""SIZE: what a message is declared to be, and what a server allows (RFC 1870)."""

import re
from typing import Final

from edge_proxy.smtp.paths import parameters_of

_ALLOWED: Final = re.compile(rb"SIZE +([0-9]{1,20}) *", re.IGNORECASE)
_DECLARED: Final = re.compile(rb"[ \t]SIZE=([0-9]{1,20})(?=[ \t]|$)", re.IGNORECASE)
_PARAMETER: Final = re.compile(rb"[ \t]+SIZE(?:=[^ \t\r]*)?(?=[ \t\r]|$)", re.IGNORECASE)


def declared_size(argument: bytes) -> int:
    """The octets that the argument of MAIL declares; 0: none, or not understood (§3)."""
    if b"=" not in argument:  # as most are, and a regular expression costs ten times as much
        return 0
    sizes = _DECLARED.findall(parameters_of(argument))
    return max(map(int, sizes), default=0)


def without_size(line: bytes) -> bytes:
    """A MAIL command without its SIZE parameter, for a server that did not offer it."""
    parameters = parameters_of(line[:-2].rstrip(b" \t"))
    kept = _PARAMETER.sub(b"", parameters)
    return line if kept == parameters else line[: line.rindex(parameters)] + kept + b"\r\n"


def allowed_size(line: bytes) -> int:
    """The octets that a line of an answer to EHLO allows; 0: no fixed limit (§4)."""
    match = _ALLOWED.fullmatch(line)
    return int(match[1]) if match is not None else 0
