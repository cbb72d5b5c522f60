"""Sets of networks: does one of them hold this address?

A set is looked up by the lengths of prefixes that occur in it: at most 33 steps for IPv4, however
many networks there are. It was measured against radix trees and sorted ranges, see
docs/decisions/0009-network-sets-by-prefix-length.md.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from rulebook.errors import RulebookError, cut, shown

Network = IPv4Network | IPv6Network

BITS: Final = {4: 32, 6: 128}
_IPV4: Final = re.compile(
    r"(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})"
    r"(?:/(0|[1-9][0-9]?))?"
)


class Prefix(NamedTuple):
    """The first ``length`` bits of an address of IP ``version``, as ``bits``."""

    version: int
    length: int
    bits: int


@dataclass(frozen=True)
class NetworkSet:
    """Networks of both families, given as ``192.0.2.0/24`` or as a single address."""

    prefixes: tuple[Prefix, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "NetworkSet":
        """Raises RulebookError for what is no network, host bits set included."""
        return cls(tuple(map(_prefix, texts)))

    @classmethod
    def of(cls, networks: Iterable[Network]) -> "NetworkSet":
        return cls(tuple(map(_prefix_of, networks)))

    def covers(self, address: str) -> bool:
        """Whether ``address`` lies in one of the networks. What is no address lies in none."""
        found = number_of(address)
        if found is None:
            return False
        version, number = found
        return any(number >> shift in bits for shift, bits in self._by_shift[version])

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        """In the order they were given."""
        return tuple(map(_network, self.prefixes))

    @cached_property
    def _by_shift(self) -> dict[int, tuple[tuple[int, frozenset[int]], ...]]:
        """For each version: how far an address is shifted, and what it then has to be."""
        sets: dict[int, dict[int, set[int]]] = {version: {} for version in BITS}
        for version, length, bits in self.prefixes:
            sets[version].setdefault(BITS[version] - length, set()).add(bits)
        return {
            version: tuple((shift, frozenset(sets[version][shift])) for shift in sets[version])
            for version in BITS
        }


@lru_cache(maxsize=8192)
def number_of(address: str) -> tuple[int, int] | None:
    """(IP version, the address as a number); None for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return parsed.version, int(parsed)


def _prefix(text: str) -> Prefix:
    """``ip_network`` is right and slow: 100,000 networks take it half a second."""
    found = _IPV4.fullmatch(text)
    if found is not None:
        *quads, length = (int(each or BITS[4]) for each in found.groups())
        number = int.from_bytes(quads) if max(quads) < 256 else -1  # noqa: PLR2004 - an octet
        shift = BITS[4] - length
        if number >= 0 <= shift and not number & ((1 << shift) - 1):
            return Prefix(4, length, number >> shift)
    try:
        return _prefix_of(ip_network(text))
    except ValueError as error:
        raise RulebookError(f"{shown(text)} is not a network: {cut(str(error))}") from None


def _prefix_of(network: Network) -> Prefix:
    shift = BITS[network.version] - network.prefixlen
    return Prefix(network.version, network.prefixlen, int(network.network_address) >> shift)


def _network(prefix: Prefix) -> Network:
    first = prefix.bits << BITS[prefix.version] - prefix.length
    if prefix.version == 4:  # noqa: PLR2004 - the version of IP
        return IPv4Network((first, prefix.length))
    return IPv6Network((first, prefix.length))
