"""Which answers wait for the DNS, for how long, and with what."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from policy.core.farm import Farm, Picture, StoredRulebook
from policy.core.leases import Release
from policy.dns.spf_check import SpfQuestion
from policy.replica.sender_facts import MOST_AT_ONCE, SenderFacts
from rulebook.dns import Dnsbl
from smtpgated_contracts.values.asked import DataAsked, MailAsked
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind, SpfResult
from tests.contract.policy.samples import session

DOCUMENT = """
schema = 1
[[dnsbl]]
zone = "bl.example"
{rule}
"""
RULE = '[[rules]]\nid = "a"\nphase = "data"\nwhen.dnsbl = ["bl.example"]\naction = "refuse"\n'
REFUSED = Decision(DecisionKind.REFUSE, "lock:x")
ASKED_AT = 1000.0
ENVELOPE = Envelope(b"h.example", b"me@example.com")


@dataclass
class Dns:
    """Says pass, and that everybody is listed everywhere; remembers who asked, and until when."""

    asked: list[object] = field(default_factory=list)
    deadline: float = 0.0

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


async def added(facts: SenderFacts, question: MailAsked | object, patience_ms: int = 0) -> Decision:
    return await facts.added(question, ADMITTED, ASKED_AT, patience_ms)  # type: ignore[arg-type]


def test_only_what_a_rule_depends_on_is_wanted(dns: Dns) -> None:
    with_rule, without = facts_of(dns), facts_of(dns, document=DOCUMENT.format(rule=""))
    assert with_rule.wants(session("a"), ADMITTED)
    assert not without.wants(session("a"), ADMITTED)
    for facts in (with_rule, without):
        assert facts.wants(mail(), ADMITTED)
        assert not facts.wants(mail(wants_spf=False), ADMITTED)
        for other in (None, Release(()), DataAsked(session("a"), 1, ENVELOPE)):
            assert not facts.wants(other, ADMITTED)


def test_who_is_not_admitted_waits_for_nothing(dns: Dns) -> None:
    assert not facts_of(dns).wants(session("a"), REFUSED)
    assert not facts_of(dns).wants(mail(), REFUSED)


async def test_a_session_gets_its_zones_and_a_mail_its_result(dns: Dns) -> None:
    facts = facts_of(dns)
    assert await added(facts, session("a")) == replace(ADMITTED, listed_in=("bl.example",))
    assert await added(facts, mail()) == replace(ADMITTED, spf=SpfResult.PASS)
    assert dns.asked == ["192.0.2.1", SpfQuestion("192.0.2.1", b"h.example", b"me@example.com")]


async def test_the_address_servers_see_is_asked_about_where_the_rulebook_says_so(
    dns: Dns,
) -> None:
    facts = facts_of(dns, document='schema = 1\n[spf]\naddress = "egress"\n')
    assert await added(facts, mail()) == ADMITTED
    assert dns.asked == []
    await added(facts, mail(egress="198.51.100.1"))
    assert dns.asked == [SpfQuestion("198.51.100.1", b"h.example", b"me@example.com")]


@pytest.mark.parametrize(("patience_ms", "waits_s"), [(0, 5), (1000, 0.8), (60_000, 5), (1, 0.02)])
async def test_nobody_waits_longer_than_his_patience_or_ours(
    dns: Dns, patience_ms: int, waits_s: float
) -> None:
    await added(facts_of(dns), mail(), patience_ms)
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
            waiting.create_task(added(facts, mail()))
        await asyncio.sleep(0)
        assert not facts.wants(mail(), ADMITTED)
        held.set()
    assert facts.wants(mail(), ADMITTED)
