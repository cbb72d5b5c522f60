"""The question to the ident daemon of a NAT router that was patched to tell destinations.

    question    58018 , 9190 CRLF
    answer      58018 , 9190 : ORIGIN : 192.0.2.25 : 25 : abc/def CRLF

The ports are the client's as we see it and the one of ours that it reached; the answer names
where the client wanted to go and who it is. IPv4 only. ``ERROR`` in place of ``ORIGIN`` is
RFC 1413 §2.3.1.1: the router does not know. No socket. Errors: ``Malformed``.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Final

from edge_proxy.interception.malformed import Malformed
from smtpgated_contracts.values.mail import Endpoint

LONGEST_ANSWER: Final = 1023
"""Octets, as the old program read them."""

_HIGHEST_PORT: Final = 65535
_FIELDS: Final = re.compile(
    rb"[ \t]*(\d{1,5})[ \t]*,[ \t]*(\d{1,5})[ \t]*"
    rb":[ \t]*(ORIGIN|ERROR)[ \t]*:([^\r\n\0]*)(?:\r?\n)?"
)
_ORIGIN: Final = re.compile(
    rb"[ \t]*(\d{1,3}(?:\.\d{1,3}){3})[ \t]*:[ \t]*(\d{1,5})[ \t]*:[ \t]*([^ \t].*)"
)


@dataclass(frozen=True, slots=True)
class Origin:
    """``identity`` as the router says it, unchecked; never empty."""

    destination: Endpoint
    identity: bytes


def render_question(client_port: int, our_port: int) -> bytes:
    return b"%d , %d\r\n" % (client_port, our_port)


def parse_answer(answer: bytes, client_port: int, our_port: int) -> Origin | None:
    """None: the router does not know. Raises Malformed, also for an answer to somebody else."""
    fields = _FIELDS.fullmatch(answer)
    if fields is None or len(answer) > LONGEST_ANSWER:
        raise Malformed(f"{answer[:60]!r} is no answer")
    if (int(fields[1]), int(fields[2])) != (client_port, our_port):
        raise Malformed(f"asked about {client_port}, {our_port}, answered {answer[:60]!r}")
    if fields[3] == b"ERROR":
        return None
    origin = _ORIGIN.fullmatch(fields[4])
    if origin is None:
        raise Malformed(f"{answer[:60]!r} names no destination and identity")
    return Origin(Endpoint(_address(origin[1]), _port(origin[2])), origin[3].rstrip())


def _address(text: bytes) -> str:
    try:
        return str(IPv4Address(text.decode("ascii")))
    except AddressValueError:
        raise Malformed(f"{text!r} is no IPv4 address") from None


def _port(text: bytes) -> int:
    port = int(text)
    if not 0 < port <= _HIGHEST_PORT:
        raise Malformed(f"{text!r} is no port")
    return port
