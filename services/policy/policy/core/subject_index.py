"""Entries kept by subject, and found by a session's address and identity.

Subjects are texts in their one spelling (``subjects.check_subject``). An address is looked up
once, and once for each prefix length in use: the cost grows with the number of different
lengths (at most 162), not with the number of entries.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final, Generic, TypeVar

from policy.core.subjects import SubjectKind, network_of

_V = TypeVar("_V")
_ADDRESS: Final = f"{SubjectKind.ADDRESS}:"
_IDENTITY: Final = f"{SubjectKind.IDENTITY}:"
_PREFIX: Final = f"{SubjectKind.PREFIX}:"
_FAMILIES: Final[dict[int, tuple[int, type[IPv4Network | IPv6Network]]]] = {
    4: (32, IPv4Network),
    6: (128, IPv6Network),
}


class SubjectIndex(Generic[_V]):
    """A mapping from subject that remembers the order of putting and knows prefixes."""

    __slots__ = ("_entries", "_lengths")

    def __init__(self) -> None:
        self._entries: dict[str, _V] = {}
        self._lengths: Counter[tuple[int, int]] = Counter()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[_V]:
        """Newest first."""
        return reversed(self._entries.values())

    def __contains__(self, subject: str) -> bool:
        return subject in self._entries

    def get(self, subject: str) -> _V | None:
        return self._entries.get(subject)

    def put(self, subject: str, entry: _V) -> None:
        """Takes the place of the subject's entry, and is the newest now."""
        self.remove(subject)
        self._entries[subject] = entry
        if subject.startswith(_PREFIX):
            self._lengths[_length(subject)] += 1

    def remove(self, subject: str) -> _V | None:
        entry = self._entries.pop(subject, None)
        if entry is not None and subject.startswith(_PREFIX):
            length = _length(subject)
            self._lengths[length] -= 1
            if not self._lengths[length]:
                del self._lengths[length]
        return entry

    def touching(self, address: str, identity: str = "") -> Iterator[_V]:
        """Every entry about this address (canonical), a prefix round it, or this identity."""
        if not self._entries:
            return
        wanted = [_ADDRESS + address]
        if identity:
            wanted.append(_IDENTITY + identity)
        if self._lengths:
            parsed = ip_address(address)
            wanted += self._prefixes(parsed.version, int(parsed), parsed.max_prefixlen)
        yield from self._found(wanted)

    def covering(self, subject: str) -> Iterator[_V]:
        """Every entry whose subject is ``subject`` or a prefix round it."""
        wanted = [subject]
        network = network_of(subject) if self._lengths else None
        if network is not None:
            first = int(network.network_address)
            wanted += self._prefixes(network.version, first, network.prefixlen)
        yield from self._found(dict.fromkeys(wanted))

    def _prefixes(self, version: int, number: int, longest: int) -> list[str]:
        bits, family = _FAMILIES[version]
        return [
            f"{_PREFIX}{family((number >> (bits - length) << (bits - length), length))}"
            for kind, length in self._lengths
            if kind == version and length <= longest
        ]

    def _found(self, subjects: Iterable[str]) -> Iterator[_V]:
        for subject in subjects:
            entry = self._entries.get(subject)
            if entry is not None:
                yield entry


def _length(prefix: str) -> tuple[int, int]:
    network = network_of(prefix)
    assert network is not None, "a prefix"
    return network.version, network.prefixlen
