"""The faces of stored decisions, of shadows and of replays."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field

from policy.admin.views import Incoming, PageQuery, moment
from policy.admin.views_simulation import MOST_DOCUMENT_CHARACTERS, ConsideredView
from policy.core.decisions import DecidedBy, KeptDecision, KeptFacts, octets_of
from policy.core.replay import Difference, Replayed, Turn, Word
from rulebook.values import Phase
from smtpgated_contracts.values.policy import SpfResult
from smtpgated_contracts.values.scan import VerdictKind

_Name = Annotated[str, Field(max_length=256)]
_PLACE = r"^([0-9]{1,15}-[0-9]{1,15})?$"
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


class DecisionQuery(Incoming):
    """Empty: all of them."""

    limit: int = Field(default=100, ge=1, le=500)
    before: str = Field(default="", pattern=_PLACE, description="``next`` of a page.")
    by: DecidedBy | None = None
    session: _Name = ""
    source: str = Field(default="", max_length=64, description="An address.")
    identity: _Name = ""
    edge: _Name = ""
    phase: Phase | None = None
    action: _Name = Field(default="", description="As refuse, defer, admit, require-auth.")
    cause: _Name = Field(default="", description="As rule:known-bots, limit:hourly, lock:virus.")


class FactsView(BaseModel):
    """What is known when somebody decides."""

    helo: str
    reverse_path: str
    recipients: list[str]
    recipient_count: int
    recipient: str = Field(description="The one that the rules of RCPT were asked about.")
    authenticated: bool
    auth_user: str
    auth_offered: bool
    spf: SpfResult | None
    listed_in: list[str]
    verdict: VerdictKind | None
    score: float
    found: list[str]
    load: float
    size_octets: int
    profiles: list[str]

    @classmethod
    def of(cls, facts: KeptFacts) -> Self:
        return cls(
            helo=_shown(facts.helo),
            reverse_path=_shown(facts.reverse_path),
            recipients=[_shown(each) for each in facts.recipients],
            recipient_count=facts.recipient_count,
            recipient=_shown(facts.recipient),
            authenticated=facts.authenticated,
            auth_user=_shown(facts.auth_user),
            auth_offered=facts.auth_offered,
            spf=facts.spf,
            listed_in=list(facts.listed_in),
            verdict=facts.verdict,
            score=facts.score,
            found=list(facts.found),
            load=facts.load,
            size_octets=facts.size_octets,
            profiles=list(facts.profiles),
        )


class DecisionView(BaseModel):
    decision_id: str
    at: datetime | None
    by: DecidedBy = Field(description="policy: locks and limits. rules: the rulebook, at an edge.")
    session_id: str
    edge_id: str
    source: str
    destination: str
    destination_port: int
    identity: str
    transaction: int = Field(description="Of the session; 0: the session itself.")
    phase: Phase
    action: str = Field(description="Empty: rules spoke, and none decided.")
    cause: str = Field(description="lock:, limit: or rule: and its name; empty: nothing special.")
    reply_code: int = Field(description="0: none of ours, or not known here.")
    why: list[str] = Field(description="How the locks and limits stood.")
    noted: list[str] = Field(description="Rules that bit without deciding.")
    shadows: list[str] = Field(description="Rules and limits in shadow that would have bitten.")
    rulebook_version: int
    facts: FactsView

    @classmethod
    def of(cls, kept: KeptDecision) -> Self:
        return cls(
            decision_id=kept.decision_id,
            at=moment(kept.at_ms),
            by=kept.by,
            session_id=kept.session_id,
            edge_id=kept.edge_id,
            source=kept.source,
            destination=kept.destination,
            destination_port=kept.destination_port,
            identity=kept.identity,
            transaction=kept.transaction,
            phase=kept.phase,
            action=kept.action,
            cause=kept.cause,
            reply_code=kept.reply_code,
            why=list(kept.why),
            noted=list(kept.noted),
            shadows=list(kept.shadows),
            rulebook_version=kept.rulebook_version,
            facts=FactsView.of(kept.facts),
        )


class DecisionPage(BaseModel):
    items: list[DecisionView]
    next: str = Field(description="For ``before``; empty: that was all.")


class DecisionExplained(DecisionView):
    considered: list[ConsideredView] | None = Field(
        description="Every rule of the phase, asked again with these facts; null: see unexplained."
    )
    unexplained: str = Field(description="Why there is nothing considered; else empty.")


class ShadowQuery(Incoming):
    day: str = Field(default="", pattern=rf"{_DAY}|^$", description="UTC; left out: today.")


class ShadowSubjectQuery(PageQuery):
    day: str = Field(default="", pattern=rf"{_DAY}|^$", description="UTC; left out: today.")


class ShadowView(BaseModel):
    rule_id: str = Field(description="A rule's or a limit's; empty: those beyond the bound.")
    times: int = Field(description="How often it would have bitten.")


class ShadowDay(BaseModel):
    day: str
    items: list[ShadowView]


class ShadowedView(BaseModel):
    subject: str = Field(description="Empty: those beyond the bound, together.")
    times: int


class ShadowedPage(BaseModel):
    day: str
    rule_id: str
    total: int
    items: list[ShadowedView]


class WantedReplay(Incoming):
    version: int | None = Field(
        default=None, ge=1, lt=2**31, description="A stored rulebook; left out: the one in force."
    )
    document: str | None = Field(
        default=None,
        max_length=MOST_DOCUMENT_CHARACTERS,
        description="A rulebook that is not stored, TOML or JSON.",
    )
    latest: int = Field(default=10_000, ge=1, le=20_000, description="Decisions looked at.")


class WordView(BaseModel):
    action: str
    rule_id: str

    @classmethod
    def of(cls, word: Word) -> Self:
        return cls(action=word.action, rule_id=word.rule_id)


class TurnView(BaseModel):
    phase: Phase
    then: WordView
    now: WordView
    times: int

    @classmethod
    def of(cls, turn: Turn, times: int) -> Self:
        return cls(
            phase=turn.phase, then=WordView.of(turn.then), now=WordView.of(turn.now), times=times
        )


class DifferenceView(BaseModel):
    decision_id: str
    at: datetime | None
    session_id: str
    source: str
    phase: Phase
    recipient: str
    then: WordView
    now: WordView

    @classmethod
    def of(cls, each: Difference) -> Self:
        kept = each.decision
        return cls(
            decision_id=kept.decision_id,
            at=moment(kept.at_ms),
            session_id=kept.session_id,
            source=kept.source,
            phase=each.phase,
            recipient=_shown(each.recipient),
            then=WordView.of(each.then),
            now=WordView.of(each.now),
        )


class ReplayView(BaseModel):
    rulebook_version: int = Field(description="0: the document that was given.")
    decisions: int = Field(description="Stored decisions that were looked at.")
    since: datetime | None = Field(description="When the oldest of them was made.")
    asked: int = Field(description="Phases that the rules were asked about.")
    turns: list[TurnView] = Field(description="What would be different, most frequent first.")
    differences: list[DifferenceView] = Field(description="The first of them, one by one.")

    @classmethod
    def of(cls, version: int, decisions: int, since_ms: int, replayed: Replayed) -> Self:
        return cls(
            rulebook_version=version,
            decisions=decisions,
            since=moment(since_ms),
            asked=replayed.asked,
            turns=[TurnView.of(turn, times) for turn, times in replayed.turns.most_common()],
            differences=[DifferenceView.of(each) for each in replayed.told],
        )


def _shown(text: str) -> str:
    """Octets of a stranger as text that cannot be mistaken for markup of ours."""
    shown = octets_of(text).decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in shown)
