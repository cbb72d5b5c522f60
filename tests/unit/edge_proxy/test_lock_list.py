"""Locks found for a session: by address, identity, and every prefix length in use."""

import pytest

from edge_proxy.lock_list import LockList
from smtpgated_contracts.values.mail import EdgeId, Endpoint, SessionId, SessionRef
from smtpgated_contracts.values.policy import Lock, Stage, StageUntil


def session(address: str, identity: str = "") -> SessionRef:
    there = Endpoint("198.51.100.1", 25)
    return SessionRef(SessionId("s"), EdgeId("e"), Endpoint(address, 40000), there, identity)


@pytest.mark.parametrize(
    ("subject", "address", "identity", "holds"),
    [
        ("address:192.0.2.1", "192.0.2.1", "", True),
        ("address:192.0.2.1", "192.0.2.2", "", False),
        ("address:2001:db8::1", "2001:db8::1", "", True),
        ("identity:subscriber-17", "192.0.2.1", "subscriber-17", True),
        ("identity:subscriber-17", "192.0.2.1", "", False),
        ("prefix:192.0.2.0/24", "192.0.2.255", "", True),
        ("prefix:192.0.2.0/24", "192.0.3.0", "", False),
        ("prefix:192.0.2.0/24", "::ffff:0:1", "", False),
        ("prefix:0.0.0.0/0", "192.0.2.1", "", True),
        ("prefix:0.0.0.0/0", "2001:db8::1", "", False),
        ("prefix:2001:db8:1::/48", "2001:db8:1:ffff::1", "", True),
        ("prefix:2001:db8:1::/48", "2001:db8:2::1", "", False),
        ("prefix:nonsense", "192.0.2.1", "", False),
    ],
)
def test_a_lock_holds_on_what_its_subject_covers(
    subject: str, address: str, identity: str, *, holds: bool
) -> None:
    locks = LockList([Lock(subject, "by hand")])
    assert (locks.hold_on(session(address, identity), 0) is not None) is holds


def test_a_lock_that_has_expired_is_forgotten() -> None:
    locks = LockList([Lock("prefix:192.0.2.0/24", "by hand", expires_at_ms=1000)])
    assert locks.hold_on(session("192.0.2.1"), 999) is not None
    assert locks.hold_on(session("192.0.2.1"), 1000) is None
    assert len(locks) == 0


def test_a_length_is_forgotten_with_the_last_prefix_that_has_it() -> None:
    locks = LockList([Lock("prefix:192.0.2.0/24", "a"), Lock("prefix:203.0.113.0/24", "b")])
    assert locks.remove("prefix:192.0.2.0/24")
    assert not locks.remove("prefix:192.0.2.0/24")
    assert locks.hold_on(session("192.0.2.1"), 0) is None
    assert locks.hold_on(session("203.0.113.9"), 0) is not None


def test_a_lock_put_twice_is_one_lock() -> None:
    locks = LockList()
    locks.put(Lock("prefix:192.0.2.0/24", "first"))
    locks.put(Lock("prefix:192.0.2.0/24", "second"))
    locks.remove("prefix:192.0.2.0/24")
    assert len(locks) == 0
    assert list(locks.subjects()) == []
    assert locks.hold_on(session("192.0.2.1"), 0) is None


@pytest.mark.parametrize(
    ("exempt", "holds"),
    [
        ("address:192.0.2.1", False),
        ("prefix:192.0.0.0/16", False),
        ("identity:subscriber-17", False),
        ("address:192.0.2.2", True),
        ("identity:subscriber-18", True),
    ],
)
@pytest.mark.parametrize("subject", ["address:192.0.2.1", "identity:subscriber-17"])
def test_an_exemption_of_any_kind_wins_over_a_lock_of_any_kind(
    subject: str, exempt: str, *, holds: bool
) -> None:
    locks = LockList([Lock(subject, "by hand")], [exempt])
    known = session("192.0.2.1", "subscriber-17")
    assert locks.exempts(known) is not holds
    assert (locks.hold_on(known, 0) is not None) is holds


def test_an_exemption_taken_back_leaves_the_lock_in_force() -> None:
    locks = LockList([Lock("prefix:192.0.2.0/24", "by hand")], ["prefix:192.0.2.0/28"])
    assert locks.hold_on(session("192.0.2.1"), 0) is None
    locks.unexempt("prefix:192.0.2.0/28")
    assert locks.hold_on(session("192.0.2.1"), 0) is not None


def test_only_a_source_without_identity_may_turn_out_to_be_exempt() -> None:
    locks = LockList([], ["identity:subscriber-17"])
    assert locks.may_exempt(session("192.0.2.1"))
    assert not locks.may_exempt(session("192.0.2.1", "subscriber-18"))
    locks.unexempt("identity:subscriber-17")
    assert not locks.may_exempt(session("192.0.2.1"))


def test_a_lock_that_became_stricter_is_a_difference() -> None:
    watched = Lock("identity:joe", "x", 9, stages=(StageUntil(Stage.WATCH, 9),))
    before = LockList([watched, Lock("identity:ann", "x")], ["identity:sue"])
    after = LockList([Lock("identity:joe", "x", 9), Lock("identity:ann", "other")])
    assert after.differing_from(before) == {"identity:joe", "identity:sue"}
    assert before.differing_from(before) == set()
