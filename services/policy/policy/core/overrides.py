"""Overrides: limits of its own that an operator gave a subject, in the place of the rulebook's.

One names limits by id: rates per source, per identity or per AUTH user, and the numbers of
concurrent sessions. Where several overrides touch a session, each limit is taken from the most
particular one that names it: AUTH user, identity, address, then the longest prefix.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from policy.core.expiries import Expiries
from policy.core.subject_index import SubjectIndex
from policy.core.subjects import SubjectKind, network_of

MOST_OVERRIDES: Final = 100_000
"""Subjects with limits of their own."""

MOST_LIMITS: Final = 64
"""Limits that one override names."""

UNLIMITED: Final = 10**15
"""A limit that nobody reaches; Lua still counts to it exactly."""

PER_SOURCE: Final = "concurrent_sessions_per_source"
PER_IDENTITY: Final = "concurrent_sessions_per_identity"
CONCURRENT: Final = (PER_SOURCE, PER_IDENTITY)
"""Ids of limits that are no rates."""

NO_OWN_LIMITS: Final[Mapping[str, int]] = MappingProxyType({})
_RANKS: Final[Mapping[str, int]] = {
    SubjectKind.PREFIX: 0,
    SubjectKind.ADDRESS: 1,
    SubjectKind.IDENTITY: 2,
    SubjectKind.AUTH: 3,
}


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """``limit`` None: none at all."""

    limit_id: str
    limit: int | None


@dataclass(frozen=True, slots=True)
class Override:
    """Times are Unix milliseconds; ``expires_at_ms`` 0: until it is removed."""

    subject: str
    limits: tuple[OwnLimit, ...]
    reason: str = ""
    author: str = ""
    created_at_ms: int = 0
    expires_at_ms: int = 0

    def holds_at(self, now_ms: int) -> bool:
        return self.expires_at_ms == 0 or now_ms < self.expires_at_ms


@dataclass(slots=True)
class Overrides:
    """All of them, by subject."""

    _stored: SubjectIndex[Override] = field(default_factory=SubjectIndex)
    _expiries: Expiries = field(default_factory=Expiries)

    def __len__(self) -> int:
        return len(self._stored)

    def __iter__(self) -> Iterator[Override]:
        """Newest first."""
        return iter(self._stored)

    def get(self, subject: str) -> Override | None:
        return self._stored.get(subject)

    def put(self, override: Override) -> None:
        self._stored.put(override.subject, override)
        if self._expiries.add(override.subject, override.expires_at_ms, len(self._stored)):
            self._expiries.renew((each.expires_at_ms, each.subject) for each in self._stored)

    def remove(self, subject: str) -> None:
        self._stored.remove(subject)

    def replace_all(self, overrides: Iterable[Override]) -> None:
        self._stored = SubjectIndex()
        for override in overrides:
            self.put(override)

    def expire(self, now_ms: int) -> None:
        for subject in self._expiries.due(now_ms):
            override = self._stored.get(subject)
            if override is not None and not override.holds_at(now_ms):
                self._stored.remove(subject)

    def own_limits(
        self, address: str, identity: str, auth_subject: str, now_ms: int
    ) -> Mapping[str, int]:
        """Limit id -> what holds for a session; ``address`` is canonical, names may be empty."""
        if not len(self._stored):
            return NO_OWN_LIMITS
        found = list(self._stored.touching(address, identity))
        by_name = self._stored.get(auth_subject) if auth_subject else None
        if by_name is not None:
            found.append(by_name)
        found.sort(key=_particularity)
        return {
            each.limit_id: UNLIMITED if each.limit is None else each.limit
            for override in found
            if override.holds_at(now_ms)
            for each in override.limits
        }


def _particularity(override: Override) -> tuple[int, int]:
    kind = override.subject.partition(":")[0]
    network = network_of(override.subject)
    return _RANKS[kind], network.prefixlen if network is not None else 0
