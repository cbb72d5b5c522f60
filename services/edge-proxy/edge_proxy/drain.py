"""The end of a worker: sessions to their borders, last words out, the rest told to policy."""

import asyncio
import logging
from typing import Final, Protocol

from edge_proxy.clients.outcome_report import OutcomeReport
from edge_proxy.clients.policy_client import PolicyClient
from edge_proxy.links.link import LINGER_S
from edge_proxy.links.open_links import OpenLinks
from edge_proxy.ports import RunningSession
from edge_proxy.registry import Registry
from service_kit.lifecycle import Lifecycle
from service_kit.logs import event

LAST_WORDS_S: Final = 0.9
"""For replies to be read when the drain deadline is over; together with the next below the
3 seconds after which Lifecycle stops the process at once."""
LAST_OUTCOMES_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.05

_LOG: Final = logging.getLogger(__name__)


class Waiting(Protocol):
    """Who lets connections in."""

    @property
    def arrivals(self) -> int:
        """How many are in that are not sessions yet."""
        ...


async def drain(
    registry: Registry[RunningSession],
    waiting: Waiting,
    open_links: OpenLinks,
    lifecycle: Lifecycle,
    patience_s: float,
) -> None:
    """Sessions close at their next border; at the deadline the rest is cut, nothing released.

    Who has just come and has not begun a message yet may do so for ``patience_s``: a mail
    program that is told to come back in mid-login shows an error to a person.
    """
    patience_ends_at_s = lifecycle.drain_remaining_s() - patience_s
    told: set[RunningSession] = set()
    while (len(registry) or waiting.arrivals) and lifecycle.drain_remaining_s() > 0:
        out_of_patience = lifecycle.drain_remaining_s() <= patience_ends_at_s
        for session in registry:
            if session not in told and (out_of_patience or session.has_begun_mail):
                told.add(session)
                session.drain()
        await asyncio.sleep(_LOOK_EVERY_S)
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
