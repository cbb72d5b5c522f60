"""Questions -> decisions: locks from memory, limits from the store, or from this replica alone.

Nothing leaves here as an error: while the store is away, or does not answer in time, the
local limiter decides.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from policy.core.decide import DECISIONS, MALFORMED, identified, judge
from policy.core.farm import Farm
from policy.core.leases import LeaseRequest, Open, Release, Renew, Standing
from policy.core.local_limiter import LocalLimiter
from policy.metrics import DECISIONS as DECISIONS_MADE
from policy.metrics import IDENTIFIED, LOCAL_ANSWERS, SESSIONS, Ground
from policy.ports import LeaseStore
from policy.replica.presence import StorePresence
from service_kit.clock import Clock
from service_kit.failures import Unavailable
from smtpgated_contracts.values.asked import DataAsked, MailAsked
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind, SessionProgress

Question = SessionRef | MailAsked | DataAsked | Renew | Release | None
"""A session that wants to open, a message that wants to pass, leases to renew or to give back, or
nothing sensible."""

_GROUNDS: Final = {
    DecisionKind.ADMIT: Ground.NOTHING_AGAINST,
    DecisionKind.DEFER: Ground.LIMIT,
    DecisionKind.REFUSE: Ground.LOCK,
}


class Decider:
    """The desk where questions are answered."""

    def __init__(
        self,
        farm: Farm,
        store: LeaseStore,
        limiter: LocalLimiter,
        presence: StorePresence,
        clock: Clock,
    ) -> None:
        self._farm = farm
        self._store = store
        self._limiter = limiter
        self._presence = presence
        self._clock = clock

    async def decide(self, questions: Sequence[Question], deadline: float) -> list[Decision]:
        """One decision a question, in their order; at most one round trip to the store."""
        now_ms = self._clock.unix_ms()
        known = [self._identified(question, now_ms) for question in questions]
        decisions = [ADMITTED] * len(questions)
        requests: list[LeaseRequest] = []
        places: list[int] = []
        for place, question in enumerate(known):
            asked = self._asked(question, now_ms)
            if isinstance(asked, Decision):
                decisions[place] = asked
            else:
                requests.append(asked)
                places.append(place)
        if requests:
            standings = await self._settle(requests, deadline)
            for place, standing in zip(places, standings, strict=True):
                decisions[place] = DECISIONS[standing]
        for question, decision in zip(questions, decisions, strict=True):
            _count(question, decision)
        return [
            _naming(decision, asked, answered)
            for decision, asked, answered in zip(decisions, questions, known, strict=True)
        ]

    def _identified(self, question: Question, now_ms: int) -> Question:
        if not isinstance(question, SessionRef):
            return question
        return identified(self._farm, question, now_ms)

    def _asked(self, question: Question, now_ms: int) -> Decision | LeaseRequest:
        if question is None:
            return MALFORMED
        if isinstance(question, MailAsked | DataAsked):
            return ADMITTED
        if not isinstance(question, SessionRef):
            return question
        judged = judge(self._farm, question, now_ms)
        return judged if isinstance(judged, Decision) else Open(SessionProgress(question), judged)

    async def _settle(self, requests: Sequence[LeaseRequest], deadline: float) -> list[Standing]:
        if not self._presence.away:
            try:
                standings = await self._store.settle(requests, deadline)
            except Unavailable as error:
                self._presence.lost(error)
            else:
                self._observe(requests, standings)
                return standings
        now_ms = self._monotonic_ms()
        LOCAL_ANSWERS().inc(len(requests))
        return [self._limiter.settle(request, now_ms) for request in requests]

    def _observe(self, requests: Sequence[LeaseRequest], standings: Sequence[Standing]) -> None:
        now_ms = self._monotonic_ms()
        for request, standing in zip(requests, standings, strict=True):
            if standing is Standing.GRANTED:
                self._limiter.observe(request, now_ms)
        SESSIONS().set(self._limiter.live(now_ms))

    def _monotonic_ms(self) -> int:
        return round(self._clock.monotonic_s() * 1000)


def _naming(decision: Decision, asked: Question, known: Question) -> Decision:
    """The decision, saying who the source is if its edge did not know."""
    if known is asked or not isinstance(known, SessionRef):
        return decision
    IDENTIFIED().inc()
    return replace(decision, identity=known.identity)


def _count(question: Question, decision: Decision) -> None:
    if isinstance(question, SessionRef):
        DECISIONS_MADE(decision.kind, _GROUNDS[decision.kind]).inc()
    elif question is None:
        DECISIONS_MADE(decision.kind, Ground.MALFORMED).inc()
