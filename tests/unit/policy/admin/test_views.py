"""Values as people see them."""

from datetime import UTC, datetime

import pytest

from policy.admin.views import LONGEST_S, LockView, NewLock, OutcomeView, moment
from policy.core.journal import entry_of
from smtpgated_contracts.values.policy import Lock
from tests.contract.policy.samples import outcome

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_0_is_no_moment() -> None:
    assert moment(0) is None
    assert moment(1_767_323_045_000) == MOMENT


def test_a_lock_without_expiry_shows_none() -> None:
    assert LockView.of(Lock("auth:x", "y")).expires_at is None


def test_every_field_of_an_outcome_is_shown() -> None:
    entry = entry_of(outcome())
    shown = OutcomeView.of(entry).model_dump()
    assert shown.pop("ended_at") == moment(entry.ended_at_ms)
    for name, value in shown.items():
        expected = getattr(entry, name)
        assert value == (list(expected) if isinstance(expected, tuple) else expected)


def test_a_new_locks_end() -> None:
    base = {"subject": "auth:x", "reason": "r"}
    assert NewLock.model_validate(base).expires_at_ms(5) == 0
    assert NewLock.model_validate(base | {"duration_s": 2}).expires_at_ms(5) == 2005
    until = NewLock.model_validate(base | {"expires_at": MOMENT})
    end_ms = 1_767_323_045_000
    assert until.expires_at_ms(end_ms - 1) == end_ms
    for now_ms in (end_ms, end_ms - 1000 * LONGEST_S - 1):
        with pytest.raises(ValueError, match="expires_at"):
            until.expires_at_ms(now_ms)
