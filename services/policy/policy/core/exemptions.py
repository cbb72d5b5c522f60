"""Exemptions: subjects that no lock and no per-source limit touches. They win over everything.

There are two kinds: the networks of the rulebook (loopback by default), and those an operator
stored by subject, in its one spelling.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from policy.core.subject_index import SubjectIndex
from policy.core.subjects import is_part, network_of
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
        self._stored.put(exemption.subject, exemption)

    def remove(self, subject: str) -> Exemption | None:
        return self._stored.remove(subject)

    def replace_all(self, exemptions: Iterable[Exemption]) -> None:
        self._stored = SubjectIndex()
        for exemption in exemptions:
            self.put(exemption)

    def cover_source(self, address: str, identity: str) -> bool:
        """Whether a session of this source is exempt."""
        if self.networks.covers(address):
            return True
        return next(self._stored.touching(address, identity), None) is not None

    def cover_subject(self, subject: str) -> bool:
        """Whether a lock on ``subject`` is lifted altogether."""
        network = network_of(subject)
        if network is not None and any(is_part(network, each) for each in self.networks.networks):
            return True
        return next(self._stored.covering(subject), None) is not None
