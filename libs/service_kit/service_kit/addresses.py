"""Where to listen and where to connect, as values a configuration can hold.

``HostPort``: ``192.0.2.1:25``, ``mx.example:25``, ``[2001:db8::1]:25``; port 0 means "any free
one" where we listen. ``UnixOrTcp``: the path of a socket, or a HostPort.
Errors: ``ValueError`` with a sentence, which ``config.load`` turns into a ConfigError.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_HIGHEST_PORT: Final = 65535
# RFC 1123 §2.1, and the underscore that compose and DNS-SD use in names of services.
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\.?")
_DOTTED: Final = re.compile(r"[0-9.]+")
# The longest path that sun_path holds on every platform we run on (unix(7): 108 with NUL on
# Linux, 104 on the BSDs).
_LONGEST_PATH_OCTETS: Final = 103


class _FromText:
    """A value that a configuration writes as one string."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[object], _schema_of: GetCoreSchemaHandler
    ) -> CoreSchema:
        def validated(value: object) -> _FromText:
            if isinstance(value, cls):
                return value
            if isinstance(value, str):
                return cls.parse(value)
            raise ValueError("must be an address in quotes")

        return core_schema.no_info_plain_validator_function(
            validated, serialization=core_schema.to_string_ser_schema()
        )


@dataclass(frozen=True, slots=True, order=True)
class HostPort(_FromText):
    """A TCP (or UDP) address; ``host`` without brackets."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        host, colon, port = text.rpartition(":")
        if not colon or not host:
            raise ValueError(
                "must be host:port (0.0.0.0:25 for every IPv4 address, [::]:25 for every address)"
            )
        return cls(_host(host), _port(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixOrTcp(_FromText):
    """Exactly one of the two: the path of a UNIX socket, or a TCP address."""

    path: str | None = None
    tcp: HostPort | None = None

    def __post_init__(self) -> None:
        assert (self.path is None) != (self.tcp is None), "one of path and tcp"

    @classmethod
    def parse(cls, text: str) -> Self:
        if not text.startswith("/"):
            try:
                return cls(tcp=HostPort.parse(text))
            except ValueError as wrong:
                raise ValueError(f"{wrong}, or the absolute path of a UNIX socket") from None
        if "\0" in text or len(text.encode()) > _LONGEST_PATH_OCTETS:
            raise ValueError(
                f"the path of a UNIX socket has at most {_LONGEST_PATH_OCTETS} octets and no NUL"
            )
        return cls(path=text)

    def __str__(self) -> str:
        return self.path if self.path is not None else str(self.tcp)


def _host(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        try:
            return str(IPv6Address(text[1:-1]))
        except AddressValueError:
            raise ValueError(f"{text} is not an IPv6 address in brackets") from None
    if ":" in text:
        raise ValueError("an IPv6 address is written in brackets: [2001:db8::1]:25")
    if _DOTTED.fullmatch(text):
        try:
            return str(IPv4Address(text))
        except AddressValueError:
            raise ValueError(f"{text} is not an IPv4 address") from None
    if not _NAME.fullmatch(text):
        raise ValueError("the host must be an IP address or a host name")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= _HIGHEST_PORT):
        raise ValueError(f"the port must be a number from 0 to {_HIGHEST_PORT}")
    return int(text)
