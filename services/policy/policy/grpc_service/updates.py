"""What a watching edge is told, as wire messages: a snapshot, and announcements after it."""

from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest
from typing import Final, TypeVar

from policy.core.farm import Announcement, Farm, StoredRulebook
from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.locks import lock_to_wire

_Item = TypeVar("_Item")

MOST_IN_A_MESSAGE: Final = 1000
"""Locks, and as many exemptions. About 250 KiB: far below gRPC's 4 MiB, and short enough that
other calls get their turn."""


def snapshot(farm: Farm, now_ms: int) -> list[policy_pb2.WatchUpdate]:
    """Rulebook, locks and exemptions as they are now; ``farm`` has been loaded."""
    assert farm.stored is not None, "nobody watches a farm that was never loaded"
    return [_rulebook(farm.stored), *_lock_snapshot(farm, now_ms)]


def updates(
    announcement: Announcement, farm: Farm, now_ms: int
) -> Iterator[policy_pb2.WatchUpdate]:
    """The same change for every watcher. The rulebook goes first: locks may rest on it."""
    if announcement.rulebook is not None:
        yield _rulebook(announcement.rulebook)
    if announcement.locks_anew:
        yield from _lock_snapshot(farm, now_ms)
    elif announcement.changes_locks:
        yield policy_pb2.WatchUpdate(
            lock_changes=policy_pb2.LockChanges(
                put=map(lock_to_wire, announcement.put),
                removed=announcement.removed,
                exempted=announcement.exempted,
                unexempted=announcement.unexempted,
            )
        )


def _rulebook(stored: StoredRulebook) -> policy_pb2.WatchUpdate:
    return policy_pb2.WatchUpdate(
        rulebook=policy_pb2.RulebookRevision(version=stored.version, document=stored.document)
    )


def _lock_snapshot(farm: Farm, now_ms: int) -> Iterator[policy_pb2.WatchUpdate]:
    """At least one message; the last one says that there are no more."""
    locks = _parts(farm.locks_in_force(now_ms))
    exempt = _parts(each.subject for each in farm.exemptions)
    parts = [
        policy_pb2.LockSnapshot(locks=map(lock_to_wire, some), exempt=others, more=True)
        for some, others in zip_longest(locks, exempt, fillvalue=())
    ] or [policy_pb2.LockSnapshot()]
    parts[-1].more = False
    return (policy_pb2.WatchUpdate(lock_snapshot=part) for part in parts)


def _parts(items: Iterable[_Item]) -> Iterator[tuple[_Item, ...]]:
    left = iter(items)
    while part := tuple(islice(left, MOST_IN_A_MESSAGE)):
        yield part
