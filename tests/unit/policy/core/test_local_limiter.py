"""Limits of one replica alone."""

import pytest

from policy.core import local_limiter
from policy.core.leases import NO_CAPS, Caps, Renew, Standing
from policy.core.local_limiter import LocalLimiter
from tests.contract.policy.samples import opening, progress


def granted(limiter: LocalLimiter, caps: Caps, tries: int = 20) -> int:
    answers = [
        limiter.settle(opening(f"s{at}", caps=caps, identity="joe"), 0) for at in range(tries)
    ]
    return answers.count(Standing.GRANTED)


@pytest.mark.parametrize(
    ("share", "caps", "expected"),
    [
        (0.5, Caps(total=8), 4),
        (0.5, Caps(per_source=8), 4),
        (1.0, Caps(per_source=8), 8),
        (0.1, Caps(per_source=3), 1),
        (0.5, Caps(per_identity=8), 4),
        (0.5, Caps(per_destination=8), 4),
        (0.5, NO_CAPS, 20),
    ],
)
def test_only_a_share_of_each_cap_is_given_away(share: float, caps: Caps, expected: int) -> None:
    assert granted(LocalLimiter(share), caps) == expected


def test_what_the_store_granted_before_counts() -> None:
    limiter = LocalLimiter(0.5)
    for name in ("a", "b", "c"):
        limiter.observe(opening(name, caps=Caps(per_source=1)), 0)
    assert granted(limiter, Caps(per_source=8)) == 1


def test_what_was_not_renewed_does_not_count_any_more() -> None:
    limiter = LocalLimiter(0.5)
    limiter.observe(opening("a"), 0)
    limiter.observe(Renew((progress("b"),)), 10_000)
    assert limiter.live(29_999) == 2
    assert limiter.live(30_000) == 1


def test_the_number_of_leases_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_limiter, "MOST_LEASES", 3)
    limiter = LocalLimiter(1.0)
    assert granted(limiter, NO_CAPS) == 3
    limiter.observe(opening("another"), 0)
    assert limiter.live(0) == 3
