"""Entries kept by subject, and found by a session's address and identity.

An address is looked up once, and once for each prefix length in use: the cost grows with the
number of different lengths (at most 161), not with the number of entries.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Generic, TypeVar

from policy.core.subjects import Network, Subject, SubjectKind, is_part, network_of

_V = TypeVar("_V")
_BITS = {4: 32, 6: 128}


class SubjectIndex(Generic[_V]):
    """A mapping from Subject that remembers the order of putting and knows prefixes."""

    __slots__ = ("_entries", "_lengths")

    def __init__(self) -> None:
        self._entries: dict[Subject, _V] = {}
        self._lengths: Counter[tuple[int, int]] = Counter()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[_V]:
        """Newest first."""
        return reversed(self._entries.values())

    def get(self, subject: Subject) -> _V | None:
        return self._entries.get(subject)

    def put(self, subject: Subject, entry: _V) -> None:
        """Takes the place of the subject's entry, and is the newest now."""
        self.remove(subject)
        self._entries[subject] = entry
        if subject.kind is SubjectKind.PREFIX:
            network = ip_network(subject.value)
            self._lengths[network.version, network.prefixlen] += 1

    def remove(self, subject: Subject) -> _V | None:
        entry = self._entries.pop(subject, None)
        if entry is not None and subject.kind is SubjectKind.PREFIX:
            network = ip_network(subject.value)
            key = (network.version, network.prefixlen)
            self._lengths[key] -= 1
            if not self._lengths[key]:
                del self._lengths[key]
        return entry

    def touching(self, address: str, identity: str = "") -> Iterator[_V]:
        """Every entry about this address (canonical), a prefix round it, or this identity."""
        if not self._entries:
            return
        wanted = [Subject(SubjectKind.ADDRESS, address)]
        if identity:
            wanted.append(Subject(SubjectKind.IDENTITY, identity))
        if self._lengths:
            parsed = ip_address(address)
            wanted += self._prefixes(parsed.version, int(parsed), _BITS[parsed.version])
        yield from self._found(wanted)

    def covering(self, subject: Subject) -> Iterator[_V]:
        """Every entry whose subject is ``subject`` or a prefix round it."""
        wanted = [subject]
        network = network_of(subject)
        if network is not None and self._lengths:
            first = int(network.network_address)
            wanted += self._prefixes(network.version, first, network.prefixlen)
        yield from self._found(dict.fromkeys(wanted))

    def lies_within(self, outer: Network) -> bool:
        """Whether some entry's subject is part of ``outer``. Looks at every entry."""
        networks = map(network_of, self._entries)
        return any(inner is not None and is_part(inner, outer) for inner in networks)

    def _prefixes(self, version: int, number: int, longest: int) -> list[Subject]:
        bits = _BITS[version]
        family = IPv4Network if version == 4 else IPv6Network  # noqa: PLR2004 - IP versions
        return [
            Subject(
                SubjectKind.PREFIX,
                str(family((number >> (bits - length) << (bits - length), length))),
            )
            for kind, length in self._lengths
            if kind == version and length <= longest
        ]

    def _found(self, subjects: Iterable[Subject]) -> Iterator[_V]:
        for subject in subjects:
            entry = self._entries.get(subject)
            if entry is not None:
                yield entry
