"""Ends are found in their order, and old ones do not gather."""

from hypothesis import given
from hypothesis import strategies as st

from policy.core.expiries import Expiries
from policy.core.locks import LockTable
from smtpgated_contracts.values.policy import Lock

ends = st.lists(st.tuples(st.integers(0, 50), st.sampled_from("abcdefgh")), max_size=60)


@given(ends, st.integers(0, 60))
def test_a_table_forgets_exactly_what_is_over(puts: list[tuple[int, str]], now_ms: int) -> None:
    table, model = LockTable(), dict[str, int]()
    for at_ms, name in puts:
        table.put(Lock(f"identity:{name}", "x", at_ms))
        model[f"identity:{name}"] = at_ms
    left = {subject for subject, at_ms in model.items() if at_ms == 0 or now_ms < at_ms}
    assert table.expire(now_ms) == len(model) - len(left)
    assert {lock.subject for lock in table} == left
    assert table.expire(now_ms) == 0


def test_a_subject_that_is_locked_again_and_again_leaves_few_old_ends() -> None:
    table = LockTable()
    for number in range(1, 10_000):
        table.put(Lock("identity:joe", "x", number))
    assert len(table._expiries) < 2000
    assert table.expire(9_998) == 0
    assert table.expire(9_999) == 1


def test_what_never_ends_is_not_kept() -> None:
    expiries = Expiries()
    assert not expiries.add("a", 0, 1)
    assert len(expiries) == 0
