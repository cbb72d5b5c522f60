"""What watchers are told."""

import pytest

from policy.core.exemptions import Exemption
from policy.core.farm import Announcement, Farm, Picture, StoredRulebook
from policy.grpc_service.updates import MOST_IN_A_MESSAGE, snapshot, updates
from smtpgated_contracts.values.policy import Lock

STORED = StoredRulebook(1, "schema = 1\n")


def farm_with(count: int) -> Farm:
    farm = Farm()
    farm.load(Picture(1, STORED, tuple(Lock(f"auth:{at}", "x") for at in range(count))), 0)
    return farm


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, [0]),
        (1, [1]),
        (MOST_IN_A_MESSAGE, [MOST_IN_A_MESSAGE]),
        (MOST_IN_A_MESSAGE + 1, [MOST_IN_A_MESSAGE, 1]),
        (2 * MOST_IN_A_MESSAGE, [MOST_IN_A_MESSAGE] * 2),
    ],
)
def test_a_snapshot_comes_in_bounded_messages_and_says_where_it_ends(
    count: int, sizes: list[int]
) -> None:
    rulebook, *locks = snapshot(farm_with(count), 0)
    assert rulebook.rulebook.version == 1
    assert [len(each.lock_snapshot.locks) for each in locks] == sizes
    assert [each.lock_snapshot.more for each in locks] == [True] * (len(sizes) - 1) + [False]


def test_a_snapshot_names_the_exemptions_however_many_there_are() -> None:
    farm = farm_with(1)
    for at in range(MOST_IN_A_MESSAGE + 1):
        farm.exemptions.put(Exemption(f"identity:{at}"))
    first, last = (each.lock_snapshot for each in [*snapshot(farm, 0)][1:])
    assert (len(first.locks), len(first.exempt), first.more) == (1, MOST_IN_A_MESSAGE, True)
    assert (len(last.locks), len(last.exempt), last.more) == (0, 1, False)


def test_changes_of_locks_and_exemptions_are_one_message() -> None:
    announcement = Announcement(
        put=(Lock("auth:a", "x"),),
        removed=("auth:b",),
        exempted=("auth:c",),
        unexempted=("auth:d",),
    )
    (update,) = updates(announcement)
    changes = update.lock_changes
    assert [each.subject for each in changes.put] == ["auth:a"]
    assert list(changes.removed) == ["auth:b"]
    assert list(changes.exempted) == ["auth:c"]
    assert list(changes.unexempted) == ["auth:d"]


def test_a_rulebook_goes_before_the_locks_that_rest_on_it() -> None:
    kinds = [
        each.WhichOneof("update")
        for each in updates(Announcement(rulebook=STORED, removed=("auth:a",)))
    ]
    assert kinds == ["rulebook", "lock_changes"]


def test_a_silent_announcement_is_no_message() -> None:
    assert list(updates(Announcement())) == []
