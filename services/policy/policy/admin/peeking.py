"""How full windows are, without spending anything."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from policy.admin.context import AdminContext
from policy.core.rates import Spend, Spent
from policy.core.spending import Purchase
from service_kit.failures import Unavailable

PATIENCE_S: Final = 2.0


async def peek(here: AdminContext, bought: Sequence[Purchase]) -> list[tuple[int, ...]] | None:
    """What is used of each count of each purchase; None: the store is away."""
    asking = [
        Spend(tuple(replace(count, cost=0) for count in each.spend.counts)) for each in bought
    ]
    if not asking:
        return []
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    try:
        answers = await here.store.settle(asking, deadline)
    except Unavailable as error:
        here.presence.lost(error)
        return None
    return [each.used if isinstance(each, Spent) else () for each in answers]
