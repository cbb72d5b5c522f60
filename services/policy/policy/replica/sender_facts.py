"""What the DNS says of who asks, where the rulebook's rules depend on it.

A session that opens is looked up in the rulebook's DNSBLs, a MAIL that wants it gets its SPF
result. Decisions never wait for this: who wants a fact gets his own answer later, within his own
patience, and a fact that cannot be found out has a value too (see ``dns``).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from policy.core.farm import Farm
from policy.dns.spf_check import SpfQuestion
from policy.metrics import UNASKED_SENDERS
from policy.replica.decider import Question
from rulebook.dns import Dnsbl
from smtpgated_contracts.values.asked import MailAsked, SessionAsked
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import Decision, DecisionKind, SpfResult

MOST_AT_ONCE: Final = 4096
"""Questions that wait for facts; beyond it they are answered without."""

_MARGIN: Final = 0.8
_LEAST_S: Final = 0.02


class Spf(Protocol):
    def known(self, question: SpfQuestion) -> SpfResult | None:
        """The result, if nobody has to be asked for it."""
        ...

    async def result(self, question: SpfQuestion, deadline: float) -> SpfResult: ...


class Blocklists(Protocol):
    def known(self, address: str, lists: Sequence[Dnsbl]) -> tuple[str, ...] | None:
        """The zones, if nobody has to be asked for them."""
        ...

    async def listed(
        self, address: str, lists: Sequence[Dnsbl], deadline: float
    ) -> tuple[str, ...]: ...


class SenderFacts:
    """``longest_s``: how long facts are waited for where a question has more patience."""

    def __init__(self, farm: Farm, spf: Spf, blocklists: Blocklists, longest_s: float) -> None:
        self._farm = farm
        self._spf = spf
        self._blocklists = blocklists
        self._longest_s = longest_s
        self._waiting = 0

    def at_once(self, question: Question, decision: Decision) -> Decision | None:
        """The whole answer; None: a fact is missing that ``in_time`` has to find out."""
        if decision.kind is not DecisionKind.ADMIT:
            return decision
        if isinstance(question, SessionAsked):
            whole = self._with_zones(question.session, decision)
        elif isinstance(question, MailAsked) and question.wants_spf:
            whole = self._with_spf(question, decision)
        else:
            return decision
        return decision if whole is None and self._is_full() else whole

    async def in_time(
        self, question: Question, decision: Decision, asked_at: float, patience_ms: int
    ) -> Decision:
        """The whole answer. ``asked_at``: the loop's clock; ``patience_ms`` 0: not said."""
        deadline = asked_at + self._patience_s(patience_ms)
        self._waiting += 1
        try:
            if isinstance(question, SessionAsked):
                lists = self._farm.rulebook.zones_asked
                address = question.session.source.address
                listed_in = await self._blocklists.listed(address, lists, deadline)
                return replace(decision, listed_in=listed_in)
            if isinstance(question, MailAsked) and (about := self._about(question)):
                return replace(decision, spf=await self._spf.result(about, deadline))
        finally:
            self._waiting -= 1
        return decision

    def _with_zones(self, session: SessionRef, decision: Decision) -> Decision | None:
        lists = self._farm.rulebook.zones_asked
        if not lists:
            return decision
        listed_in = self._blocklists.known(session.source.address, lists)
        return None if listed_in is None else replace(decision, listed_in=listed_in)

    def _with_spf(self, asked: MailAsked, decision: Decision) -> Decision | None:
        about = self._about(asked)
        if about is None:
            return decision
        result = self._spf.known(about)
        return None if result is None else replace(decision, spf=result)

    def _about(self, asked: MailAsked) -> SpfQuestion | None:
        """None: it is about the address that servers see, and nobody knows that."""
        address = self._farm.rulebook.spf.of(asked.session.source.address, asked.egress_address)
        envelope = asked.envelope
        return SpfQuestion(address, envelope.helo, envelope.reverse_path) if address else None

    def _is_full(self) -> bool:
        if self._waiting < MOST_AT_ONCE:
            return False
        UNASKED_SENDERS().inc()
        return True

    def _patience_s(self, patience_ms: int) -> float:
        if not patience_ms:
            return self._longest_s
        return min(self._longest_s, max(_LEAST_S, _MARGIN * patience_ms / 1000))
