"""Prefixes spelt and compared as policy spells them."""

import pytest

from edge_proxy.subjects import length_of, lies_in
from policy.core.subjects import parse_subject
from rulebook.bearers import counted_as, locked_as, prefix_of
from tests.support.samples import session_ref


@pytest.mark.parametrize(
    ("address", "bits"), [("192.0.2.77", 24), ("192.0.2.77", 32), ("2001:db8::77", 64)]
)
def test_a_prefix_is_spelt_as_policy_spells_it(address: str, bits: int) -> None:
    spelt = prefix_of(address, bits)
    assert str(parse_subject(spelt)) == spelt
    assert lies_in(address, spelt)


def test_what_is_counted_together() -> None:
    assert counted_as("192.0.2.1") == "address:192.0.2.1"
    assert counted_as("2001:db8::1") == "prefix:2001:db8::/64"


@pytest.mark.parametrize(
    ("subject", "length"),
    [
        ("prefix:192.0.2.0/24", (4, 24)),
        ("prefix:2001:db8::/32", (6, 32)),
        ("prefix:192.0.2.1/24", None),
        ("address:192.0.2.1", None),
        ("prefix:", None),
    ],
)
def test_only_a_prefix_has_a_length(subject: str, length: tuple[int, int] | None) -> None:
    assert length_of(subject) == length


def test_a_rule_locks_who_it_is_or_else_where_it_comes_from() -> None:
    assert locked_as(session_ref("192.0.2.1", "subscriber-17")) == "identity:subscriber-17"
    assert locked_as(session_ref("192.0.2.1")) == "address:192.0.2.1"
    assert locked_as(session_ref("2001:db8::1")) == "prefix:2001:db8::/64"
