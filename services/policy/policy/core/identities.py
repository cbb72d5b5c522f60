"""Who is behind an address: a table of networks, fed from outside (RADIUS, DHCP), with expiry.

A network is an address or a prefix in its one spelling (``192.0.2.1``, ``2001:db8:17::/56``); the
longest one round an address that has not expired says who it is. Times are Unix milliseconds; an
expiry of 0 is "until it is removed".
Errors: SubjectError for a text that is no network.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice
from typing import Final

from policy.core.expiries import Expiries
from policy.core.subjects import SubjectError, SubjectKind, parse_subject

MOST_IDENTITIES: Final = 500_000
"""Networks in the table of one farm; about 0.5 KiB each in every replica."""


MOST_AT_ONCE: Final = 10_000
"""Forgotten in one go, some 40 ms: questions wait meanwhile. The rest waits, and holds no more."""


@dataclass(frozen=True, slots=True)
class NetworkIdentity:
    """One line of the table."""

    network: str
    identity: str
    expires_at_ms: int = 0
    author: str = ""
    created_at_ms: int = 0

    def holds_at(self, now_ms: int) -> bool:
        return self.expires_at_ms == 0 or now_ms < self.expires_at_ms


def normal_network(text: str) -> str:
    """The one spelling of an address or a prefix. Raises SubjectError."""
    if "/" not in text:
        return parse_subject(f"{SubjectKind.ADDRESS}:{text}").value
    network = parse_subject(f"{SubjectKind.PREFIX}:{text}").value
    whole = "/128" if ":" in network else "/32"
    return network.removesuffix(whole)


def check_identity(text: str) -> str:
    """``text``, if it can be somebody's identity. Raises SubjectError."""
    return parse_subject(f"{SubjectKind.IDENTITY}:{text}").value


def check_entry(entry: NetworkIdentity) -> None:
    """Raises SubjectError unless both are in their one spelling."""
    check_identity(entry.identity)
    if normal_network(entry.network) != entry.network:
        raise SubjectError(
            f"{entry.network[:64]!r} is not spelt as {normal_network(entry.network)}"
        )


@dataclass(frozen=True, slots=True)
class IdentityEnd:
    """``network`` is ``identity``'s no longer; "": whoever has it.

    Ends come late and in any order: the end of his lease must not take the network from the next
    subscriber, who has it already.
    """

    network: str
    identity: str = ""


class IdentityTable:
    """Found by network in one step, by address in one step for each prefix length in use.

    ``changes`` counts on with every entry that comes or goes.
    """

    __slots__ = ("_by_identity", "_by_length", "_entries", "_expiries", "changes")

    def __init__(self, entries: Iterable[NetworkIdentity] = ()) -> None:
        self.changes = 0
        self._entries: dict[str, NetworkIdentity] = {}
        self._expiries = Expiries()
        self._by_identity: dict[str, dict[str, None]] = {}
        # (version, bits) -> the network's leading bits -> entry; the longest is asked first.
        self._by_length: dict[tuple[int, int], dict[int, NetworkIdentity]] = {}
        for entry in entries:
            self.put(entry)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[NetworkIdentity]:
        """Newest first, expired ones included."""
        return reversed(self._entries.values())

    def become(self, entries: Iterable[NetworkIdentity]) -> None:
        """These and no others. What is there already costs little: a picture is read anew after
        changes were missed, while questions wait."""
        named = {entry.network: entry for entry in entries}
        for network in [each for each in self._entries if each not in named]:
            self.remove(network)
        for entry in named.values():
            if self._entries.get(entry.network) != entry:
                self.put(entry)

    def get(self, network: str) -> NetworkIdentity | None:
        return self._entries.get(network)

    def put(self, entry: NetworkIdentity) -> None:
        """Takes the place of the network's entry, and is the newest now."""
        self.remove(entry.network)
        self.changes += 1
        self._entries[entry.network] = entry
        self._by_identity.setdefault(entry.identity, {})[entry.network] = None
        length, leading = _place(entry.network)
        if length not in self._by_length:
            self._by_length[length] = {}
            self._by_length = dict(sorted(self._by_length.items(), reverse=True))
        self._by_length[length][leading] = entry
        if self._expiries.add(entry.network, entry.expires_at_ms, len(self._entries)):
            ends = ((each.expires_at_ms, each.network) for each in self._entries.values())
            self._expiries.renew(ends)

    def remove(self, network: str) -> NetworkIdentity | None:
        entry = self._entries.pop(network, None)
        if entry is None:
            return None
        self.changes += 1
        of_identity = self._by_identity[entry.identity]
        del of_identity[network]
        if not of_identity:
            del self._by_identity[entry.identity]
        length, leading = _place(network)
        del self._by_length[length][leading]
        if not self._by_length[length]:
            del self._by_length[length]
        return entry

    def in_force(self, now_ms: int) -> tuple[NetworkIdentity, ...]:
        """What has not expired, oldest first."""
        return tuple(each for each in self._entries.values() if each.holds_at(now_ms))

    def of(self, address: str, now_ms: int) -> NetworkIdentity | None:
        """Who has this address (canonical); None: the table does not say."""
        if not self._by_length:
            return None
        parsed = ip_address(address)
        version, bits, number = parsed.version, parsed.max_prefixlen, int(parsed)
        for (family, length), networks in self._by_length.items():
            if family == version:
                entry = networks.get(number >> (bits - length))
                if entry is not None and entry.holds_at(now_ms):
                    return entry
        return None

    def of_identity(self, identity: str) -> Iterator[NetworkIdentity]:
        """Every network of one identity, newest first."""
        return (self._entries[each] for each in reversed(self._by_identity.get(identity, {})))

    def expire(self, now_ms: int) -> int:
        """Forget what no longer holds, MOST_AT_ONCE of it; how many those were."""
        gone = 0
        for network in islice(self._expiries.due(now_ms), MOST_AT_ONCE):
            entry = self._entries.get(network)
            if entry is not None and not entry.holds_at(now_ms):
                self.remove(network)
                gone += 1
        return gone


def _place(network: str) -> tuple[tuple[int, int], int]:
    """Where it stands in ``_by_length``: its version and bits, and its leading bits."""
    address, _, said = network.partition("/")
    parsed = ip_address(address)
    length = int(said) if said else parsed.max_prefixlen
    return (parsed.version, length), int(parsed) >> (parsed.max_prefixlen - length)
