"""The end of a worker: sessions to their borders, last words out, the rest told to policy."""

import asyncio
import logging
from typing import Final

from edge_proxy.clients.outcome_report import OutcomeReport
from edge_proxy.clients.policy_client import PolicyClient
from edge_proxy.conductor import Conductor
from edge_proxy.links.link import LINGER_S
from edge_proxy.links.open_links import OpenLinks
from edge_proxy.registry import Registry
from service_kit.lifecycle import Lifecycle
from service_kit.logs import event

LAST_WORDS_S: Final = 0.9
"""For replies to be read when the drain deadline is over; together with the next below the
3 seconds after which Lifecycle stops the process at once."""
LAST_OUTCOMES_S: Final = 2.0

_LOG: Final = logging.getLogger(__name__)


async def drain(registry: Registry[Conductor], open_links: OpenLinks, lifecycle: Lifecycle) -> None:
    """Sessions close at their next border; at the deadline the rest is cut, nothing released."""
    for session in registry:
        session.drain()
    while len(registry) and lifecycle.drain_remaining_s() > 0:  # noqa: ASYNC110 - once a life
        await asyncio.sleep(0.05)
    for session in registry:
        session.shut_down()
    await open_links.close(max(LAST_WORDS_S, min(LINGER_S, lifecycle.drain_remaining_s())))


async def tell_the_rest(outcomes: OutcomeReport, policy: PolicyClient) -> None:
    """What policy has not been told yet: messages, and slots that are free again."""
    try:
        async with asyncio.timeout(LAST_OUTCOMES_S):
            await outcomes.flush()
            await policy.flush()
    except TimeoutError:
        event(_LOG, logging.WARNING, "outcomes not reported", reason="policy does not answer")
