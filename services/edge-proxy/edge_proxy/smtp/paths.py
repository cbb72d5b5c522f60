"""The argument of MAIL and RCPT -> the address in it (RFC 5321 §4.1.2, §4.1.1.2, §4.1.1.3).

Servers accept more than the RFC's grammar: blanks after the colon, an address without
brackets, a source route. All of these are understood here, so that rules and limits see the
address the server sees; what cannot be understood is None and must not be relayed. Behind the
address only parameters may stand (``SIZE=1000``): of ``TO: name <a@b>`` one server takes the
name, another one what is in the brackets.
"""

import re
from typing import Final

_QUOTED: Final = rb'"(?:[^"\\\r\n]|\\[^\r\n])*"'
_BRACKETED: Final = rb"<(?P<bracketed>(?:" + _QUOTED + rb'|[^<>"\s])*)>'
_BARE: Final = rb"(?P<bare>(?:" + _QUOTED + rb'|[^<>"\s])+)'
_PARAMETER: Final = rb"[ \t]+[a-z0-9][a-z0-9-]*(?:=\S*)?"
_ARGUMENT: Final = re.compile(
    rb"(?P<keyword>FROM|TO):[ \t]*(?:" + _BRACKETED + rb"|" + _BARE + rb")"
    rb"(?P<parameters>(?:" + _PARAMETER + rb")*)",
    re.IGNORECASE,
)
_VERB: Final = re.compile(rb"^[A-Z]+[ ][ \t]*", re.IGNORECASE)
_SOURCE_ROUTE: Final = re.compile(rb"(?:@[^,:\"]*,)*@[^,:\"]*:")


def parameters_of(argument: bytes) -> bytes:
    """What stands behind the address, with the blank before it; empty when not understood.

    ``argument`` may have its verb before it.
    """
    match = _ARGUMENT.fullmatch(_VERB.sub(b"", argument, count=1))
    return match["parameters"] if match is not None else b""


def parse_path(argument: bytes, keyword: bytes) -> bytes | None:
    """The address after ``keyword`` (``b"FROM"`` or ``b"TO"``), without brackets and route.

    Empty for the null reverse-path ``<>``; None when the argument is not understood. Every
    alternative of the pattern starts with a different octet: matching is linear.
    """
    match = _ARGUMENT.fullmatch(argument)
    if match is None or match["keyword"].upper() != keyword:
        return None
    address = match["bare"] if match["bracketed"] is None else match["bracketed"]
    route = _SOURCE_ROUTE.match(address)
    return address[route.end() :] if route else address
