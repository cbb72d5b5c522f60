"""Limits while the shared store is away: what one replica alone has seen, and less generous.

The limiter follows every grant, renewal, release and spend while the store is there, so it does
not begin at nothing when the store goes. Then it answers by itself from a ``share`` of each limit:
other replicas do the same, and together they must not admit much more than the farm would. When
the store is back, renewals tell it within ten seconds which sessions were admitted meanwhile, and
``owed`` what was spent.
"""

from collections import deque
from itertools import islice
from typing import Final

from policy.core.leases import LEASE_S, NO_CAPS, Caps, LeaseBook, Open, Standing
from policy.core.rates import RateBook, Request, Settled, Spend, Spent

MOST_LEASES: Final = 200_000
"""Leases kept at most, about 1 KiB each: ten times the default cap of a whole farm."""
MOST_OWED: Final = 20_000
"""Spends remembered for the store while it is away; the oldest go first."""


class LocalLimiter:
    """``share``: the part of each limit, above 0 and up to 1, that this replica gives alone."""

    __slots__ = ("_book", "_owed", "_rates", "_share")

    def __init__(self, share: float, length_ms: int = LEASE_S * 1000) -> None:
        self._share = share
        self._book = LeaseBook(length_ms)
        self._rates = RateBook()
        self._owed: deque[Spend] = deque(maxlen=MOST_OWED)

    def observe(self, request: Request, now_ms: int) -> None:
        """What the shared store has granted. Beyond MOST_LEASES new sessions are not followed."""
        if isinstance(request, Spend):
            self._rates.spend(request.charged(), now_ms)
            return
        if isinstance(request, Open):
            if self._book.live(now_ms) >= MOST_LEASES:
                return
            request = Open(request.session, NO_CAPS)
        self._book.settle(request, now_ms)

    def settle(self, request: Request, now_ms: int) -> Settled:
        """The answer while the store is away."""
        if isinstance(request, Spend):
            return self._spend(request, now_ms)
        if isinstance(request, Open):
            request = Open(request.session, self._reduced(request.caps))
        return self._book.settle(request, now_ms)

    def owed(self, most: int) -> tuple[Spend, ...]:
        """What the store has yet to be charged with; at most ``most`` at a time."""
        return tuple(islice(self._owed, most))

    def paid(self, count: int) -> None:
        """The oldest so many of ``owed`` are settled."""
        for _ in range(min(count, len(self._owed))):
            self._owed.popleft()

    def live(self, now_ms: int) -> int:
        """Sessions this replica knows of."""
        return self._book.live(now_ms)

    def _spend(self, spend: Spend, now_ms: int) -> Spent:
        spent = self._rates.spend(spend.reduced(self._share), now_ms)
        if was_spent(spend, spent) and any(each.cost for each in spend.counts):
            self._owed.append(spend.charged())
        return spent

    def _reduced(self, caps: Caps) -> Caps:
        total = self._part_of(caps.total) or MOST_LEASES
        return Caps(
            min(total, MOST_LEASES),
            self._part_of(caps.per_source),
            self._part_of(caps.per_identity),
            self._part_of(caps.per_destination),
        )

    def _part_of(self, cap: int) -> int:
        """At least one; no limit stays none."""
        return max(1, int(cap * self._share)) if cap else 0


def is_granted(request: Request, settled: Settled) -> bool:
    """Whether what was asked for has come about."""
    if isinstance(settled, Standing):
        return settled is Standing.GRANTED
    return isinstance(request, Spend) and was_spent(request, settled)


def was_spent(spend: Spend, spent: Spent) -> bool:
    return not any(spend.counts[place].is_enforced for place in spent.full)
