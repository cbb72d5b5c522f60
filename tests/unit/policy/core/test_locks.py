"""Locks: which lasts longer, when they begin, what the table finds."""

import pytest

from policy.core.locks import LockTable, dated, outlasts
from smtpgated_contracts.values.policy import Lock
from tests.contract.policy.samples import lock


@pytest.mark.parametrize(
    ("present", "wanted", "stays"),
    [(0, 5, True), (0, 0, True), (5, 0, False), (5, 5, True), (5, 6, False), (6, 5, True)],
)
def test_never_outlasts_everything_and_otherwise_the_later_expiry(
    present: int, wanted: int, *, stays: bool
) -> None:
    assert outlasts(lock(expires_at_ms=present), lock(expires_at_ms=wanted)) is stays


@pytest.mark.parametrize(
    ("created", "expires", "dated_expiry"),
    [(1_000, 61_000, 160_000), (0, 61_000, 61_000), (1_000, 0, 0), (61_000, 1_000, 100_000)],
)
def test_the_duration_is_kept_and_begins_by_our_clock(
    created: int, expires: int, dated_expiry: int
) -> None:
    found = dated(Lock("address:192.0.2.1", "virus", expires, created), 100_000)
    assert (found.created_at_ms, found.expires_at_ms) == (100_000, dated_expiry)


def test_the_table_finds_only_what_holds() -> None:
    table = LockTable()
    table.put(lock("address:192.0.2.1", 100))
    table.put(lock("prefix:192.0.2.0/24", 200))
    assert len(list(table.on("192.0.2.1", "", 99))) == 2
    assert [each.subject for each in table.on("192.0.2.1", "", 100)] == ["prefix:192.0.2.0/24"]
    assert table.expire(100) == 1
    assert len(table) == 1


def test_removing_gives_back_what_was_there() -> None:
    table = LockTable()
    table.put(lock())
    assert table.remove(lock().subject) == lock()
    assert table.remove(lock().subject) is None
    assert table.get(lock().subject) is None
