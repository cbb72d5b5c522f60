"""The faces of a simulation: a session described, and everything that was considered."""

from typing import Annotated, Self

from pydantic import BaseModel, Field

from policy.admin.views import Incoming, LockView
from policy.core.overrides import UNLIMITED
from policy.core.simulation import End, Ground, PhaseAsked
from policy.core.spending import Purchase
from rulebook.explain import Outcome, RuleConsidered
from rulebook.rates import Counted, Per
from rulebook.values import Action, Mode, Phase
from smtpgated_contracts.values.policy import DecisionKind, SpfResult
from smtpgated_contracts.values.scan import VerdictKind

MOST_RECIPIENTS = 100
MOST_FOUND = 32
MOST_DOCUMENT_CHARACTERS = 4 * 1024 * 1024
_Path = Annotated[str, Field(max_length=1000)]
_Name = Annotated[str, Field(max_length=256)]


class SessionDescribed(Incoming):
    """A session with one message, as the rules would see it. What is left out is not known."""

    source: Annotated[str, Field(max_length=64, examples=["192.0.2.1"])]
    destination: Annotated[str, Field(max_length=64)] = "198.51.100.25"
    destination_port: int = Field(default=25, ge=1, le=65535)
    identity: str = Field(
        default="", max_length=256, description="Empty: whoever the identity table says it is."
    )
    helo: _Path = ""
    reverse_path: _Path = Field(default="", description="Without the angle brackets.")
    recipients: list[_Path] = Field(default=[], max_length=MOST_RECIPIENTS)
    authenticated: bool = False
    auth_user: _Name = ""
    auth_offered: bool = False
    spf: SpfResult | None = None
    dnsbl: list[_Name] = Field(
        default=[], max_length=MOST_FOUND, description="Zones that list the source."
    )
    load: float = Field(default=0.0, ge=0, le=1e6)
    size_octets: int = Field(default=0, ge=0, le=2**40)
    verdict: VerdictKind | None = Field(default=None, description="null: it comes to no scan.")
    score: float = Field(default=0.0, ge=-1e6, le=1e6)
    found: list[_Name] = Field(
        default=[], max_length=MOST_FOUND, description="engine:name of each finding."
    )
    profiles: list[_Name] = Field(default=[], max_length=MOST_FOUND)


class WantedSimulation(Incoming):
    session: SessionDescribed
    version: int | None = Field(
        default=None, ge=1, lt=2**31, description="A stored rulebook; left out: the one in force."
    )
    document: str | None = Field(
        default=None,
        max_length=MOST_DOCUMENT_CHARACTERS,
        description="A rulebook that is not stored, TOML or JSON.",
    )


class ConditionView(BaseModel):
    key: str = Field(description="As in when.")
    outcome: Outcome


class ConsideredView(BaseModel):
    rule_id: str
    action: Action
    mode: Mode
    conditions: list[ConditionView]
    holds: bool = Field(description="All its conditions do.")
    reached: bool = Field(description="No rule before it had ended the phase.")
    bit: bool
    ended: bool = Field(description="It is the one that ended the phase.")

    @classmethod
    def of(cls, rule: RuleConsidered) -> Self:
        return cls(
            rule_id=rule.rule_id,
            action=rule.action,
            mode=rule.mode,
            conditions=[ConditionView(key=one.key, outcome=one.outcome) for one in rule.conditions],
            holds=rule.holds,
            reached=rule.reached,
            bit=rule.bit,
            ended=rule.ended,
        )


class SanctionView(BaseModel):
    cause: str
    on: str
    lock_s: int
    points: float


class PhaseView(BaseModel):
    phase: Phase
    recipient: str
    action: Action | None = Field(description="null: no rule decided.")
    rule_id: str
    reply: str
    sanctions: list[SanctionView]
    profiles: list[str]
    shadows: list[str] = Field(description="Rules in shadow that would have bitten.")
    rules: list[ConsideredView]

    @classmethod
    def of(cls, asked: PhaseAsked) -> Self:
        ruling = asked.ruling
        return cls(
            phase=asked.phase,
            recipient=asked.recipient.decode("utf-8", "backslashreplace"),
            action=ruling.action,
            rule_id=ruling.rule_id,
            reply=ruling.reply,
            sanctions=[
                SanctionView(cause=each.cause, on=each.on, lock_s=each.lock_s, points=each.points)
                for each in ruling.sanctions
            ],
            profiles=list(ruling.profiles),
            shadows=list(ruling.shadows),
            rules=[ConsideredView.of(each) for each in asked.considered],
        )


class RateView(BaseModel):
    """One limit per window, and what is left of it now. Nothing was spent."""

    rate_id: str
    count: Counted
    per: Per
    subject: str
    window_s: int
    limit: int | None = Field(description="What holds for this subject now; null: none.")
    of_rulebook: int = Field(description="What the rulebook says, for everybody.")
    used: int
    left: int | None
    mode: Mode

    @classmethod
    def of(cls, bought: Purchase, place: int, used: int) -> Self:
        rate, count = bought.rates[place], bought.spend.counts[place]
        limited = count.limit < UNLIMITED
        return cls(
            rate_id=rate.id,
            count=rate.count,
            per=rate.per,
            subject=count.subject,
            window_s=rate.window_s,
            limit=count.limit if limited else None,
            of_rulebook=rate.limit,
            used=used,
            left=max(0, count.limit - used) if limited else None,
            mode=rate.mode,
        )


class PhaseRateView(RateView):
    phase: Phase = Field(description="When it would be asked: connect, mail or data.")
    costs: int
    full: bool = Field(description="There would be no room for this.")


class EndView(BaseModel):
    kind: DecisionKind
    ground: Ground | None = Field(description="null: nothing speaks against it.")
    phase: Phase | None
    cause: str = Field(description="The rule's or the limit's id, or the lock's cause.")
    reply: str = Field(description="Empty: the edge's own words.")

    @classmethod
    def of(cls, end: End | None) -> Self:
        if end is None:
            return cls(kind=DecisionKind.ADMIT, ground=None, phase=None, cause="", reply="")
        return cls(
            kind=end.kind, ground=end.ground, phase=end.phase, cause=end.cause, reply=end.reply
        )


class SimulationView(BaseModel):
    rulebook_version: int = Field(description="0: the document that was given.")
    identity: str
    exempt: bool
    locks: list[LockView]
    phases: list[PhaseView]
    rates: list[PhaseRateView]
    rates_known: bool = Field(description="false: the store is away, rates show nothing used.")
    decision: EndView
