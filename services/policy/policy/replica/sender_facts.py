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
from smtpgated_contracts.values.asked import MailAsked
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import Decision, DecisionKind, SpfResult

MOST_AT_ONCE: Final = 4096
"""Questions that wait for facts; beyond it they are answered without."""

_MARGIN: Final = 0.8
_LEAST_S: Final = 0.02


class Spf(Protocol):
    async def result(self, question: SpfQuestion, deadline: float) -> SpfResult: ...


class Blocklists(Protocol):
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

    def wants(self, question: Question, decision: Decision) -> bool:
        """Whether the answer is to be handed to ``added`` before it is given."""
        if decision.kind is not DecisionKind.ADMIT or not self._has_facts(question):
            return False
        if self._waiting >= MOST_AT_ONCE:
            UNASKED_SENDERS().inc()
            return False
        return True

    async def added(
        self, question: Question, decision: Decision, asked_at: float, patience_ms: int
    ) -> Decision:
        """``decision`` with the facts. ``asked_at``: the loop's clock; patience 0: not said."""
        deadline = asked_at + self._patience_s(patience_ms)
        self._waiting += 1
        try:
            if isinstance(question, MailAsked):
                return replace(decision, spf=await self._spf_of(question, deadline))
            if isinstance(question, SessionRef):
                lists = self._farm.rulebook.zones_asked
                address = question.source.address
                listed_in = await self._blocklists.listed(address, lists, deadline)
                return replace(decision, listed_in=listed_in)
        finally:
            self._waiting -= 1
        return decision

    def _has_facts(self, question: Question) -> bool:
        if isinstance(question, MailAsked):
            return question.wants_spf
        return isinstance(question, SessionRef) and bool(self._farm.rulebook.zones_asked)

    async def _spf_of(self, asked: MailAsked, deadline: float) -> SpfResult | None:
        """None: asked for the address that servers see, and nobody knows it."""
        spf = self._farm.rulebook.spf
        address = spf.of(asked.session.source.address, asked.egress_address)
        if not address:
            return None
        envelope = asked.envelope
        question = SpfQuestion(address, envelope.helo, envelope.reverse_path)
        return await self._spf.result(question, deadline)

    def _patience_s(self, patience_ms: int) -> float:
        if not patience_ms:
            return self._longest_s
        return min(self._longest_s, max(_LEAST_S, _MARGIN * patience_ms / 1000))
