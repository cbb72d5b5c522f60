"""Exemptions: subjects that no lock and no per-source limit touches. They win over everything.

There are two kinds: the networks of the rulebook (loopback by default), and those an operator
stored by subject.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network

from policy.core.subject_index import SubjectIndex
from policy.core.subjects import Subject, SubjectKind, is_part, network_of, parse_subject
from rulebook.networks import NetworkSet


@dataclass(frozen=True, slots=True)
class Exemption:
    """One stored exemption. ``created_at_ms`` is Unix milliseconds."""

    subject: str
    reason: str = ""
    author: str = ""
    created_at_ms: int = 0


@dataclass(slots=True)
class Exemptions:
    """Both kinds together."""

    networks: NetworkSet = field(default_factory=NetworkSet)
    _stored: SubjectIndex[Exemption] = field(default_factory=SubjectIndex)

    def __len__(self) -> int:
        return len(self._stored)

    def __iter__(self) -> Iterator[Exemption]:
        """The stored ones, newest first."""
        return iter(self._stored)

    def put(self, exemption: Exemption) -> None:
        """Raises SubjectError when the subject is none."""
        self._stored.put(parse_subject(exemption.subject), exemption)

    def remove(self, subject: str) -> Exemption | None:
        return self._stored.remove(parse_subject(subject))

    def replace_all(self, exemptions: Iterable[Exemption]) -> None:
        self._stored = SubjectIndex()
        for exemption in exemptions:
            self.put(exemption)

    def cover_source(self, address: str, identity: str) -> bool:
        """Whether a session of this source is exempt."""
        if self.networks.covers(address):
            return True
        return next(self._stored.touching(address, identity), None) is not None

    def cover_subject(self, subject: Subject) -> bool:
        """Whether a lock on ``subject`` is lifted altogether."""
        network = network_of(subject)
        if network is not None and any(is_part(network, each) for each in self.networks.networks):
            return True
        return next(self._stored.covering(subject), None) is not None

    def lie_within(self, subject: Subject) -> bool:
        """Whether a lock on ``subject`` is lifted for a part of it."""
        if subject.kind is not SubjectKind.PREFIX:
            return False
        outer = ip_network(subject.value)
        return self._stored.lies_within(outer) or any(
            is_part(each, outer) for each in self.networks.networks
        )
