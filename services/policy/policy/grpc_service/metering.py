"""What passes in tunnels, charged to the limits while it passes.

Nobody can be asked before a message that nobody reads: it is counted when it has gone by, whatever
that makes of the limit, and a limit that is over takes its consequences: points, a lock, and so the
end of the tunnel. Loss of a report is tolerated. While the store is away it counts here alone.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from policy.core.decide import own_limits, share_left
from policy.core.farm import Farm
from policy.core.local_limiter import LocalLimiter
from policy.core.rates import Settled, Spend, Spent
from policy.core.spending import Purchase, purchase, tunnelled_occasion
from policy.metrics import CHARGES_UNKEPT, RATES_EXCEEDED
from policy.ports import LeaseStore
from policy.replica.decider import Exceeded
from policy.replica.presence import StorePresence
from service_kit.clock import Clock
from service_kit.failures import Unavailable
from smtpgated_contracts.values.reported import Tunnelled

_Metered = tuple[Tunnelled, Purchase]
MOST_AT_ONCE: Final = 500
"""Windows of so many reports in one round trip."""


class Metering:
    """``exceeded`` is told of every limit that is over."""

    def __init__(
        self,
        farm: Farm,
        store: LeaseStore,
        limiter: LocalLimiter,
        presence: StorePresence,
        clock: Clock,
        exceeded: Exceeded,
        deadline_s: float,
    ) -> None:
        self._farm = farm
        self._store = store
        self._limiter = limiter
        self._presence = presence
        self._clock = clock
        self._exceeded = exceeded
        self._deadline_s = deadline_s

    async def take(self, told: Iterable[Tunnelled]) -> None:
        metered = [(each, bought) for each in told if (bought := self._bought(each)) is not None]
        for at in range(0, len(metered), MOST_AT_ONCE):
            await self._charge(metered[at : at + MOST_AT_ONCE])

    def _bought(self, told: Tunnelled) -> Purchase | None:
        session, auth_user = told.session, told.envelope.auth_user
        now_ms = self._clock.unix_ms()
        occasion = tunnelled_occasion(
            told,
            exempt=self._farm.exemptions.cover_source(session.source.address, session.identity),
            share=share_left(self._farm, session, auth_user, now_ms),
            own=own_limits(self._farm, session, auth_user, now_ms),
        )
        return purchase(self._farm.rulebook, occasion)

    async def _charge(self, metered: list[_Metered]) -> None:
        settled = await self._settle([bought.spend.watched() for _, bought in metered])
        for (told, bought), each in zip(metered, settled, strict=True):
            rate = bought.exceeded(each) if isinstance(each, Spent) else None
            if rate is not None:
                RATES_EXCEEDED(rate.count).inc()
                self._exceeded(rate, told.session, told.envelope.auth_user)

    async def _settle(self, spends: list[Spend]) -> list[Settled]:
        if not self._presence.away:
            deadline = asyncio.get_running_loop().time() + self._deadline_s
            try:
                return await self._store.settle(spends, deadline)
            except Unavailable as error:
                self._presence.lost(error)
        CHARGES_UNKEPT().inc(len(spends))
        now_ms = round(self._clock.monotonic_s() * 1000)
        return [self._limiter.settle(each, now_ms) for each in spends]
