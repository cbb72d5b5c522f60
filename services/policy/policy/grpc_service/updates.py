"""What a watching edge is told, as wire messages: a snapshot, and announcements after it."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from policy.core.farm import Announcement, Farm, StoredRulebook
from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.locks import lock_to_wire
from smtpgated_contracts.values.policy import Lock

MOST_IN_A_MESSAGE: Final = 1000
"""Locks, and as many exemptions. About 250 KiB: far below gRPC's 4 MiB, and short enough that
other calls get their turn."""


def snapshot(farm: Farm, now_ms: int) -> Iterator[policy_pb2.WatchUpdate]:
    """Rulebook, locks and exemptions as they are now; ``farm`` has been loaded.

    Each message is made when it is asked for, so that a hundred thousand locks hold up nobody.
    """
    assert farm.stored is not None, "nobody watches a farm that was never loaded"
    locks = tuple(farm.locks_in_force(now_ms))
    exempt = tuple(each.subject for each in farm.exemptions)
    return chain((_rulebook(farm.stored),), _lock_snapshot(locks, exempt))


def updates(announcement: Announcement) -> Iterator[policy_pb2.WatchUpdate]:
    """The same change for every watcher. The rulebook goes first: locks may rest on it."""
    if announcement.rulebook is not None:
        yield _rulebook(announcement.rulebook)
    if announcement.changes_locks:
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


def _lock_snapshot(
    locks: Sequence[Lock], exempt: Sequence[str]
) -> Iterator[policy_pb2.WatchUpdate]:
    """At least one message; the last one says that there are no more."""
    most = max(len(locks), len(exempt), 1)
    for at in range(0, most, MOST_IN_A_MESSAGE):
        until = at + MOST_IN_A_MESSAGE
        yield policy_pb2.WatchUpdate(
            lock_snapshot=policy_pb2.LockSnapshot(
                locks=map(lock_to_wire, locks[at:until]),
                exempt=exempt[at:until],
                more=until < most,
            )
        )
