"""Sets of networks: does one of them hold this address?"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from rulebook.errors import RulebookError, cut, shown

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class NetworkSet:
    """Networks of both families, given as ``192.0.2.0/24`` or as a single address."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "NetworkSet":
        """Raises RulebookError for what is no network, host bits set included."""
        networks = []
        for text in texts:
            try:
                networks.append(ip_network(text))
            except ValueError as error:
                raise RulebookError(f"{shown(text)} is not a network: {cut(str(error))}") from None
        return cls(tuple(networks))

    def covers(self, address: str) -> bool:
        """Whether ``address`` lies in one of the networks. What is no address lies in none."""
        try:
            number = int(parsed := ip_address(address))
        except ValueError:
            return False
        return any(first <= number <= last for first, last in self._ranges[parsed.version])

    @cached_property
    def _ranges(self) -> dict[int, tuple[tuple[int, int], ...]]:
        return {
            version: tuple(
                (int(each.network_address), int(each.broadcast_address))
                for each in self.networks
                if each.version == version
            )
            for version in (4, 6)
        }
