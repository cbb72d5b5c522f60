"""Limits while the shared store is away: what one replica alone has seen, and less generous.

The limiter follows every grant, renewal and release while the store is there, so it does not
begin at nothing when the store goes. Then it answers by itself from a ``share`` of each cap:
other replicas do the same, and together they must not admit much more than the farm would.
When the store is back, renewals tell it within ten seconds what was admitted meanwhile.
"""

from typing import Final

from policy.core.leases import LEASE_S, NO_CAPS, Caps, LeaseBook, LeaseRequest, Open, Standing

MOST_LEASES: Final = 200_000
"""Leases kept at most, about 1 KiB each: ten times the default cap of a whole farm."""


class LocalLimiter:
    """``share``: the part of each cap, above 0 and up to 1, that this replica gives away alone."""

    __slots__ = ("_book", "_share")

    def __init__(self, share: float, length_ms: int = LEASE_S * 1000) -> None:
        self._share = share
        self._book = LeaseBook(length_ms)

    def observe(self, request: LeaseRequest, now_ms: int) -> None:
        """What the shared store has granted. Beyond MOST_LEASES new sessions are not followed."""
        if isinstance(request, Open):
            if self._book.live(now_ms) >= MOST_LEASES:
                return
            request = Open(request.session, NO_CAPS)
        self._book.settle(request, now_ms)

    def settle(self, request: LeaseRequest, now_ms: int) -> Standing:
        """The answer while the store is away."""
        if isinstance(request, Open):
            request = Open(request.session, self._reduced(request.caps))
        return self._book.settle(request, now_ms)

    def live(self, now_ms: int) -> int:
        """Sessions this replica knows of."""
        return self._book.live(now_ms)

    def _reduced(self, caps: Caps) -> Caps:
        total = self._part_of(caps.total) or MOST_LEASES
        return Caps(
            min(total, MOST_LEASES),
            self._part_of(caps.per_source),
            self._part_of(caps.per_identity),
        )

    def _part_of(self, cap: int) -> int:
        """At least one; no limit stays none."""
        return max(1, int(cap * self._share)) if cap else 0
