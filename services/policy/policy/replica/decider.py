"""Questions -> decisions: locks from memory, limits from the store, or from this replica alone.

Nothing leaves here as an error: while the store is away, or does not answer in time, the
local limiter decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from policy.core.decide import DECISIONS, MALFORMED, identified, judge, own_limits, share_left
from policy.core.decisions import Asked, reasons
from policy.core.farm import Farm
from policy.core.leases import Open, Release, Renew, Standing
from policy.core.local_limiter import LocalLimiter, is_granted
from policy.core.rates import Request, Settled, Spent
from policy.core.spending import Purchase, asked_occasion, purchase
from policy.metrics import DECISIONS as DECISIONS_MADE
from policy.metrics import IDENTIFIED, LOCAL_ANSWERS, RATES_EXCEEDED, SESSIONS, Ground
from policy.ports import LeaseStore
from policy.replica.presence import StorePresence
from rulebook.rates import Rate
from service_kit.clock import Clock
from service_kit.failures import Unavailable
from smtpgated_contracts.values.asked import SessionAsked
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind, SessionProgress

Question = Asked | Renew | Release | None
"""A session that wants to open, a message that wants to pass, leases to renew or to give back, or
nothing sensible."""

Exceeded = Callable[[Rate, SessionRef, bytes], None]
"""Told of every rate that said no: to whom (the session, and who has authenticated in it)."""

Keep = Callable[[Asked, Decision, tuple[str, ...]], Decision]
"""Takes a decision, and why, into the journal; returns it with its id."""

MOST_PAID_AT_ONCE: Final = 200
"""Spends of the time without the store that are made good with one batch of questions."""


@dataclass(slots=True)
class _Case:
    """One question on its way: what is asked of the store for it, and where the answers lie."""

    decision: Decision = ADMITTED
    requests: list[Request] = field(default_factory=list)
    purchase: Purchase | None = None
    at: int = 0

    def settle(self, settled: Sequence[Settled]) -> Decision:
        """``settled``: the answers to ``requests``."""
        for each in settled:
            if isinstance(each, Standing):
                decision = DECISIONS[each]
            elif self.purchase is not None:
                decision = self.purchase.decision(each)
            else:
                continue
            if decision.kind is not DecisionKind.ADMIT:
                return decision
            if decision is not ADMITTED:
                self.decision = decision
        return self.decision


class Decider:
    """The desk where questions are answered."""

    def __init__(
        self,
        farm: Farm,
        store: LeaseStore,
        limiter: LocalLimiter,
        presence: StorePresence,
        clock: Clock,
        exceeded: Exceeded,
        keep: Keep = lambda _asked, decision, _why: decision,
    ) -> None:
        self._farm = farm
        self._store = store
        self._limiter = limiter
        self._presence = presence
        self._clock = clock
        self._exceeded = exceeded
        self._keep = keep

    async def decide(self, questions: Sequence[Question], deadline: float) -> list[Decision]:
        """One decision a question, in their order; at most one round trip to the store."""
        now_ms = self._clock.unix_ms()
        known = [self._identified(question, now_ms) for question in questions]
        cases = [self._case(question, now_ms) for question in known]
        requests: list[Request] = []
        for case in cases:
            case.at = len(requests)
            requests += case.requests
        settled = await self._settle(requests, deadline) if requests else []
        decisions = []
        for asked, question, case in zip(questions, known, cases, strict=True):
            mine = settled[case.at : case.at + len(case.requests)]
            decision = case.settle(mine)
            self._note(question, case, mine)
            _count(question, decision)
            if isinstance(question, Asked):
                why = self._why(question, decision, case, mine, now_ms)
                decision = self._keep(question, decision, why)
            decisions.append(_naming(decision, asked, question))
        return decisions

    def _identified(self, question: Question, now_ms: int) -> Question:
        if not isinstance(question, Asked):
            return question
        session = identified(self._farm, question.session, now_ms)
        return question if session is question.session else replace(question, session=session)

    def _case(self, question: Question, now_ms: int) -> _Case:
        if question is None:
            return _Case(MALFORMED)
        if not isinstance(question, Asked):
            return _Case(requests=[question])
        case = _Case()
        session = question.session
        if isinstance(question, SessionAsked):
            judged = judge(self._farm, session, now_ms)
            if isinstance(judged, Decision):
                return _Case(judged)
            case.requests.append(Open(SessionProgress(session), judged))
        exempt = self._farm.exemptions.cover_source(session.source.address, session.identity)
        auth_user = _auth_user(question)
        share = share_left(self._farm, session, auth_user, now_ms)
        own = own_limits(self._farm, session, auth_user, now_ms)
        occasion = asked_occasion(question, exempt=exempt, share=share, own=own)
        case.purchase = purchase(self._farm.rulebook, occasion)
        if case.purchase is not None:
            case.requests.append(case.purchase.spend)
        return case

    async def _settle(self, requests: Sequence[Request], deadline: float) -> list[Settled]:
        if not self._presence.away:
            owed = self._limiter.owed(MOST_PAID_AT_ONCE)
            try:
                settled = await self._store.settle([*owed, *requests], deadline)
            except Unavailable as error:
                self._presence.lost(error)
            else:
                self._limiter.paid(len(owed))
                settled = settled[len(owed) :]
                self._observe(requests, settled)
                return settled
        now_ms = self._monotonic_ms()
        LOCAL_ANSWERS().inc(len(requests))
        return [self._limiter.settle(request, now_ms) for request in requests]

    def _observe(self, requests: Sequence[Request], settled: Sequence[Settled]) -> None:
        now_ms = self._monotonic_ms()
        for request, each in zip(requests, settled, strict=True):
            if is_granted(request, each):
                self._limiter.observe(request, now_ms)
        SESSIONS().set(self._limiter.live(now_ms))

    def _note(self, question: Question, case: _Case, settled: Sequence[Settled]) -> None:
        """A rate that said no may cost something."""
        for each in settled:
            if not isinstance(each, Spent) or case.purchase is None:
                continue
            rate = case.purchase.exceeded(each)
            if rate is not None and isinstance(question, Asked):
                RATES_EXCEEDED(rate.count).inc()
                self._exceeded(rate, question.session, _auth_user(question))

    def _why(
        self,
        question: Asked,
        decision: Decision,
        case: _Case,
        settled: Sequence[Settled],
        now_ms: int,
    ) -> tuple[str, ...]:
        if decision.kind is DecisionKind.ADMIT and not decision.shadows:
            return ()
        spent = next((each for each in settled if isinstance(each, Spent)), None)
        return reasons(self._farm, question.session, case.purchase, spent, now_ms)

    def _monotonic_ms(self) -> int:
        return round(self._clock.monotonic_s() * 1000)


def _auth_user(question: Asked) -> bytes:
    return b"" if isinstance(question, SessionAsked) else question.envelope.auth_user


def _naming(decision: Decision, asked: Question, known: Question) -> Decision:
    """The decision, saying who the source is if its edge did not know."""
    if known is asked or not isinstance(known, SessionAsked):
        return decision
    IDENTIFIED().inc()
    return replace(decision, identity=known.session.identity)


def _count(question: Question, decision: Decision) -> None:
    if isinstance(question, Asked):
        DECISIONS_MADE(decision.kind, _ground(decision)).inc()
    elif question is None:
        DECISIONS_MADE(decision.kind, Ground.MALFORMED).inc()


def _ground(decision: Decision) -> Ground:
    if decision.kind is DecisionKind.ADMIT:
        return Ground.NOTHING_AGAINST
    return Ground.LOCK if decision.cause.startswith("lock:") else Ground.LIMIT
