"""Commands that the server refused, gathered for a moment before policy is told of them.

A client that guesses at addresses has a hundred refused in a second: that is one report. What a
message's outcome or the session's end tells policy goes behind it.
"""

import asyncio
from collections import Counter
from typing import Final

from edge_proxy.ports import OutcomePort
from edge_proxy.relay.facts import Rejected
from edge_proxy.smtp.verbs import Verb
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.reported import Rejections

GATHER_S: Final = 0.2
"""How long a rejection may wait for others; so late a client is judged by it at the latest."""


class RejectionCount:
    """Of one session. No timer runs while nothing is refused."""

    __slots__ = ("_counts", "_last", "_outcomes", "_timer")

    def __init__(self, outcomes: OutcomePort) -> None:
        self._outcomes = outcomes
        self._counts: Counter[Verb] = Counter()
        self._last: tuple[SessionRef, Rejected] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def count(self, session: SessionRef, rejected: Rejected) -> None:
        self._counts[rejected.verb] += 1
        self._last = session, rejected
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self.tell)

    def tell(self) -> None:
        """Report what was counted, if anything was."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._last is None:
            return
        (session, rejected), self._last = self._last, None
        counts, self._counts = self._counts, Counter()
        self._outcomes.report(
            Rejections(
                session,
                rejected.envelope,
                rejected.profiles,
                mail=counts[Verb.MAIL],
                rcpt=counts[Verb.RCPT],
                auth=counts[Verb.AUTH],
            )
        )
