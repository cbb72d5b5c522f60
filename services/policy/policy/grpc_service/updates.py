"""What a watching edge is told, as wire messages: a snapshot, and announcements after it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from policy.core.farm import Announcement, Farm, StoredRulebook
from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.policy import lock_to_wire
from smtpgated_contracts.values.policy import Lock

MOST_LOCKS_IN_A_MESSAGE: Final = 1000
"""About 200 KiB: far below gRPC's 4 MiB, and short enough that other calls get their turn."""


def snapshot(farm: Farm, now_ms: int) -> list[policy_pb2.WatchUpdate]:
    """Rulebook and locks as they are now; ``farm`` has been loaded."""
    assert farm.stored is not None, "nobody watches a farm that was never loaded"
    return [_rulebook(farm.stored), *_lock_snapshot(farm.enforced_locks(now_ms))]


def updates(
    announcement: Announcement, farm: Farm, now_ms: int
) -> Iterator[policy_pb2.WatchUpdate]:
    """The same change for every watcher. The rulebook goes first: locks may rest on it."""
    if announcement.rulebook is not None:
        yield _rulebook(announcement.rulebook)
    if announcement.locks_anew:
        yield from _lock_snapshot(farm.enforced_locks(now_ms))
    elif announcement.put or announcement.removed:
        yield policy_pb2.WatchUpdate(
            lock_changes=policy_pb2.LockChanges(
                put=map(lock_to_wire, announcement.put), removed=announcement.removed
            )
        )


def _rulebook(stored: StoredRulebook) -> policy_pb2.WatchUpdate:
    return policy_pb2.WatchUpdate(
        rulebook=policy_pb2.RulebookRevision(version=stored.version, document=stored.document)
    )


def _lock_snapshot(locks: Iterable[Lock]) -> Iterator[policy_pb2.WatchUpdate]:
    """At least one message; the last one says that there are no more."""
    left = iter(locks)
    part = list(islice(left, MOST_LOCKS_IN_A_MESSAGE))
    while True:
        following = list(islice(left, MOST_LOCKS_IN_A_MESSAGE))
        yield policy_pb2.WatchUpdate(
            lock_snapshot=policy_pb2.LockSnapshot(
                locks=map(lock_to_wire, part), more=bool(following)
            )
        )
        if not following:
            return
        part = following
