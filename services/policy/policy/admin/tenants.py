"""What a token that is limited to networks sees of lists about everybody."""

from collections.abc import Iterator
from typing import Protocol

from policy.core.journal import OutcomeEntry
from policy.core.subjects import SubjectError, normal_address
from policy.core.tokens import Tenancy


class HasSubject(Protocol):
    @property
    def subject(self) -> str: ...


class Subjects(Protocol):
    """Locks, or exemptions."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[HasSubject]: ...


def seen(tenancy: Tenancy, entries: Subjects) -> int:
    """How many of ``entries``."""
    if not tenancy.networks:
        return len(entries)
    return sum(tenancy.covers(each.subject) for each in entries)


def covers_outcome(tenancy: Tenancy, entry: OutcomeEntry) -> bool:
    """``source`` of an entry is written address:port, [address]:port for IPv6."""
    if not tenancy.networks:
        return True
    host = entry.source.rpartition(":")[0].strip("[]")
    try:
        return tenancy.covers_address(normal_address(host))
    except SubjectError:
        return False
