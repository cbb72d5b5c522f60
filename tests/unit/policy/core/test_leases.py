"""The lease model itself; what it shares with the stores is in the contract tests."""

import pytest

from policy.core.leases import NO_CAPS, Caps, LeaseBook, Open, Release, Renew, Standing
from smtpgated_contracts.values.mail import SessionId
from tests.contract.policy.samples import opening, progress

GRANTED = Standing.GRANTED


def test_a_cap_of_0_is_no_limit() -> None:
    book = LeaseBook()
    assert {book.settle(opening(f"s{at}"), 0) for at in range(100)} == {GRANTED}


def test_the_cap_in_total_is_asked_before_the_cap_per_source() -> None:
    book = LeaseBook()
    book.settle(opening("a"), 0)
    assert book.settle(opening("b", caps=Caps(1, 1)), 0) is Standing.TOTAL_REACHED
    assert book.settle(opening("b", caps=Caps(2, 1)), 0) is Standing.SOURCE_REACHED


@pytest.mark.parametrize(("now_ms", "live"), [(0, 1), (29_999, 1), (30_000, 0), (99_999, 0)])
def test_a_lease_holds_for_its_length_and_not_longer(now_ms: int, live: int) -> None:
    book = LeaseBook()
    book.settle(opening("a"), 0)
    assert book.live(now_ms) == live
    assert book.live_of("192.0.2.1", now_ms) == live


def test_a_refused_session_holds_nothing() -> None:
    book = LeaseBook()
    book.settle(opening("a"), 0)
    book.settle(opening("b", caps=Caps(total=1)), 0)
    book.settle(Release((SessionId("a"),)), 0)
    assert book.live(0) == 0


def test_renewal_moves_a_lease_behind_the_others() -> None:
    book = LeaseBook()
    for name in ("a", "b"):
        book.settle(Open(progress(name), NO_CAPS), 0)
    book.settle(Renew((progress("a"),)), 10)
    assert [each.session.session.session_id for each in book.leases(10)] == ["b", "a"]
    assert book.live(30_000) == 1
