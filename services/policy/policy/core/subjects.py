"""Who is counted, locked or exempted: one spelling for each subject.

``address:192.0.2.1`` and ``address:2001:db8::1`` (canonical text, v4-mapped addresses
unmapped), ``prefix:192.0.2.0/24``, ``identity:subscriber-17``, ``auth:user@example``.
Errors: SubjectError says what is wrong and what would be right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

MAX_NAME: Final = 256
"""Characters in an identity or AUTH name; RFC 5321 §4.5.3.1.3 allows a path as many octets."""

COUNTED_IPV6_PREFIX: Final = 64
"""Per-source limits count an IPv6 source by its /64: the least a subscriber is given
(RFC 6177 §2), within which he can change his address as often as he likes."""


class SubjectError(ValueError):
    """A text names no subject."""


class SubjectKind(StrEnum):
    """What a lock or an exemption can be about."""

    ADDRESS = "address"
    PREFIX = "prefix"
    IDENTITY = "identity"
    AUTH = "auth"


@dataclass(frozen=True, slots=True)
class Subject:
    """Always canonical: equal subjects are spelt alike. ``str()`` gives the spelling."""

    kind: SubjectKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


def parse_subject(text: str) -> Subject:
    """Raises SubjectError."""
    kind, colon, value = text.partition(":")
    if not colon or kind not in set(SubjectKind):
        known = ", ".join(f"{each}:…" for each in SubjectKind)
        raise SubjectError(f"{text[:MAX_NAME]!r} should be one of {known}")
    known_kind = SubjectKind(kind)
    return Subject(known_kind, _READERS[known_kind](value))


Network = IPv4Network | IPv6Network
_NETWORKS: Final = frozenset({SubjectKind.ADDRESS.value, SubjectKind.PREFIX.value})


def check_subject(text: str) -> str:
    """``text``, if it is a subject in its one spelling; raises SubjectError otherwise."""
    if str(parse_subject(text)) != text:
        raise SubjectError(f"{text[:MAX_NAME]!r} is not spelt as {parse_subject(text)}")
    return text


def network_of(subject: str) -> Network | None:
    """The addresses that ``subject`` stands for; None when it is no network."""
    kind, _, value = subject.partition(":")
    return ip_network(value) if kind in _NETWORKS else None


def is_part(inner: Network, outer: Network) -> bool:
    """Whether every address of ``inner`` lies in ``outer``. Families never mix."""
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


@lru_cache(maxsize=8192)
def normal_address(text: str) -> str:
    """The canonical spelling of a network address. Raises SubjectError."""
    try:
        address = ip_address(text)
    except ValueError:
        raise SubjectError(f"{text[:64]!r} is not an IPv4 or IPv6 address") from None
    return str(_unmapped(address))


@lru_cache(maxsize=8192)
def counted_source(address: str) -> str:
    """What per-source limits count ``address`` as: itself, or its /64 for IPv6."""
    if ":" not in address:
        return address
    return str(ip_network((IPv6Address(address).packed, COUNTED_IPV6_PREFIX), strict=False))


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.scope_id is not None:
            raise SubjectError(f"{address} has a zone: it means something on one host only")
    return address


def _prefix(text: str) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise SubjectError(f"{text[:64]!r} is not a prefix such as 192.0.2.0/24") from None
    if "/" not in text:
        raise SubjectError(f"{text!r} has no prefix length; one address is address:{text}")
    # Host bits set: a slip of the pen that could lock far more than was meant.
    if network.network_address != ip_address(text.partition("/")[0]):
        raise SubjectError(f"{text} has host bits set; the prefix is {network}")
    return str(network)


def _name(text: str) -> str:
    if not text or len(text) > MAX_NAME or not text.isprintable() or text != text.strip():
        raise SubjectError(
            f"{text[:64]!r} should be 1 to {MAX_NAME} printable characters, no space at the ends"
        )
    return text


_READERS: Final[Mapping[SubjectKind, Callable[[str], str]]] = {
    SubjectKind.ADDRESS: normal_address,
    SubjectKind.PREFIX: _prefix,
    SubjectKind.IDENTITY: _name,
    SubjectKind.AUTH: _name,
}
