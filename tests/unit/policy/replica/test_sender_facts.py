"""Which answers wait for the DNS, for how long, and with what."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from policy.core.farm import Farm, Picture, StoredRulebook
from policy.core.leases import Release
from policy.dns.spf_check import SpfQuestion
from policy.replica.decider import Question
from policy.replica.sender_facts import MOST_AT_ONCE, SenderFacts
from rulebook.dns import Dnsbl
from smtpgated_contracts.values.asked import DataAsked, MailAsked
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind, SpfResult
from tests.contract.policy.samples import asks, session

DOCUMENT = """
schema = 1
[[dnsbl]]
zone = "bl.example"
{rule}
"""
RULE = '[[rules]]\nid = "a"\nphase = "data"\nwhen.dnsbl = ["bl.example"]\naction = "refuse"\n'
LISTED = replace(ADMITTED, listed_in=("bl.example",))
PASSED = replace(ADMITTED, spf=SpfResult.PASS)
REFUSED = Decision(DecisionKind.REFUSE, "lock:x")
ASKED_AT = 1000.0
ENVELOPE = Envelope(b"h.example", b"me@example.com")


@dataclass
class Dns:
    """Says pass, and that everybody is listed everywhere; remembers who asked, and until when."""

    asked: list[object] = field(default_factory=list)
    deadline: float = 0.0
    is_known: bool = False

    def known(self, what: object, lists: Sequence[Dnsbl] | None = None) -> Any:
        if not self.is_known:
            return None
        return SpfResult.PASS if lists is None else tuple(each.zone for each in lists)

    async def result(self, question: SpfQuestion, deadline: float) -> SpfResult:
        self._ask(question, deadline)
        return SpfResult.PASS

    async def listed(
        self, address: str, lists: Sequence[Dnsbl], deadline: float
    ) -> tuple[str, ...]:
        self._ask(address, deadline)
        return tuple(each.zone for each in lists)

    def _ask(self, what: object, deadline: float) -> None:
        self.asked.append(what)
        self.deadline = deadline


@pytest.fixture
def dns() -> Dns:
    return Dns()


def facts_of(dns: Dns, *, document: str = DOCUMENT.format(rule=RULE)) -> SenderFacts:
    farm = Farm()
    assert not farm.load(Picture(1, StoredRulebook(1, document)), 0).unreadable
    return SenderFacts(farm, dns, dns, longest_s=5)


def mail(*, wants_spf: bool = True, egress: str = "") -> MailAsked:
    return MailAsked(session("a"), 1, ENVELOPE, (), wants_spf, egress)


async def in_time(facts: SenderFacts, question: Question, patience_ms: int = 0) -> Decision:
    assert facts.at_once(question, ADMITTED) is None
    return await facts.in_time(question, ADMITTED, ASKED_AT, patience_ms)


def test_what_no_rule_depends_on_is_answered_at_once(dns: Dns) -> None:
    facts = facts_of(dns, document=DOCUMENT.format(rule=""))
    others = (mail(wants_spf=False), None, Release(()), DataAsked(session("a"), 1, ENVELOPE))
    for question in (asks("a"), *others):
        assert facts.at_once(question, ADMITTED) is ADMITTED
    assert facts_of(dns).at_once(asks("a"), ADMITTED) is None
    assert facts.at_once(mail(), ADMITTED) is None


def test_who_is_not_admitted_waits_for_nothing(dns: Dns) -> None:
    for question in (asks("a"), mail()):
        assert facts_of(dns).at_once(question, REFUSED) is REFUSED


def test_what_is_known_is_answered_at_once(dns: Dns) -> None:
    dns.is_known = True
    facts = facts_of(dns)
    assert facts.at_once(asks("a"), ADMITTED) == LISTED
    assert facts.at_once(mail(), ADMITTED) == PASSED
    assert dns.asked == []


async def test_a_session_gets_its_zones_and_a_mail_its_result(dns: Dns) -> None:
    facts = facts_of(dns)
    assert await in_time(facts, asks("a")) == LISTED
    assert await in_time(facts, mail()) == PASSED
    assert dns.asked == ["192.0.2.1", SpfQuestion("192.0.2.1", b"h.example", b"me@example.com")]


async def test_the_address_servers_see_is_asked_about_where_the_rulebook_says_so(
    dns: Dns,
) -> None:
    facts = facts_of(dns, document='schema = 1\n[spf]\naddress = "egress"\n')
    assert facts.at_once(mail(), ADMITTED) == ADMITTED
    await in_time(facts, mail(egress="198.51.100.1"))
    assert dns.asked == [SpfQuestion("198.51.100.1", b"h.example", b"me@example.com")]


@pytest.mark.parametrize(("patience_ms", "waits_s"), [(0, 5), (1000, 0.8), (60_000, 5), (1, 0.02)])
async def test_nobody_waits_longer_than_his_patience_or_ours(
    dns: Dns, patience_ms: int, waits_s: float
) -> None:
    await in_time(facts_of(dns), mail(), patience_ms)
    assert dns.deadline == pytest.approx(ASKED_AT + waits_s)


async def test_beyond_the_bound_answers_go_without(
    dns: Dns, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts, held = facts_of(dns), asyncio.Event()

    async def hold(_question: SpfQuestion, _deadline: float) -> SpfResult:
        await held.wait()
        return SpfResult.PASS

    monkeypatch.setattr(dns, "result", hold)
    async with asyncio.TaskGroup() as waiting:
        for _ in range(MOST_AT_ONCE):
            waiting.create_task(in_time(facts, mail()))
        await asyncio.sleep(0)
        assert facts.at_once(mail(), ADMITTED) is ADMITTED
        held.set()
    assert facts.at_once(mail(), ADMITTED) is None
