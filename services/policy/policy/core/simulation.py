"""What would become of a described session: the same rules, locks and limits, and nothing spent.

``rules_asked`` asks the rules of every phase the description reaches; ``occasions`` are the
questions that limits would be asked; ``conclude`` puts everything into the order in which a real
session meets it, and finds what would end it. Concurrent sessions are not simulated: they depend
on the moment alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from policy.core.overrides import NO_OWN_LIMITS
from policy.core.spending import Occasion, Purchase, asked_occasion
from rulebook.evaluate import evaluate
from rulebook.explain import RuleConsidered, explain
from rulebook.rules import Action
from rulebook.ruling import Ruling
from rulebook.values import Facts, Phase, Rulebook
from smtpgated_contracts.values.asked import DataAsked, MailAsked, SessionAsked
from smtpgated_contracts.values.mail import Envelope, SessionRef
from smtpgated_contracts.values.policy import DecisionKind, Lock, SpfResult, Stage
from smtpgated_contracts.values.scan import VerdictKind

_KINDS: Final[Mapping[Action, DecisionKind]] = {
    Action.REFUSE: DecisionKind.REFUSE,
    Action.DEFER: DecisionKind.DEFER,
    Action.REQUIRE_AUTH: DecisionKind.REFUSE,
}


@dataclass(frozen=True, slots=True)
class Described:
    """A session with one message. ``verdict`` None: it does not come to a verdict.

    ``size_octets`` is what MAIL declares and what the content has. ``profiles`` are those it has
    from before; rules add theirs.
    """

    session: SessionRef
    envelope: Envelope
    auth_offered: bool = False
    spf: SpfResult | None = None
    dnsbl: frozenset[str] = frozenset()
    load: float = 0.0
    size_octets: int = 0
    verdict: VerdictKind | None = None
    score: float = 0.0
    found: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PhaseAsked:
    """``recipient`` of the phase RCPT, which is asked once for each."""

    phase: Phase
    recipient: bytes
    ruling: Ruling
    considered: tuple[RuleConsidered, ...]


class Ground(StrEnum):
    """What a step rests on."""

    LOCK = "lock"
    RULE = "rule"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class End:
    """What would end the session or the message; ``cause`` is the lock's, the rule's, the limit's
    name."""

    kind: DecisionKind
    ground: Ground
    phase: Phase
    cause: str
    reply: str = ""


def rules_asked(book: Rulebook, described: Described) -> tuple[PhaseAsked, ...]:
    """All of them, also behind one that would end it. Patterns run: not on the loop."""
    return tuple(
        PhaseAsked(
            phase, facts.recipient, evaluate(book, phase, facts), explain(book, phase, facts)
        )
        for phase, facts in _facts(described)
    )


def occasions(
    described: Described,
    asked: Sequence[PhaseAsked],
    *,
    exempt: bool,
    share: float,
    own: Mapping[str, int] = NO_OWN_LIMITS,
) -> Iterator[tuple[Phase, Occasion]]:
    """What limits would be asked; profiles hold from the phase on in which a rule gave them."""
    session, envelope = described.session, described.envelope
    known = Envelope(
        envelope.helo, envelope.reverse_path, (), envelope.authenticated, envelope.auth_user
    )
    profiles = {
        phase: _profiles(described, asked, until)
        for phase, until in (
            (Phase.CONNECT, {Phase.CONNECT}),
            (Phase.MAIL, {Phase.CONNECT, Phase.HELO, Phase.AUTH}),
            (Phase.DATA, set(Phase) - {Phase.CONTENT}),
        )
    }
    questions: Mapping[Phase, SessionAsked | MailAsked | DataAsked] = {
        Phase.CONNECT: SessionAsked(session, profiles[Phase.CONNECT]),
        Phase.MAIL: MailAsked(session, 1, known, profiles[Phase.MAIL]),
        Phase.DATA: DataAsked(session, 1, envelope, profiles[Phase.DATA]),
    }
    for phase, question in questions.items():
        yield phase, asked_occasion(question, exempt=exempt, share=share, own=own)


def full_at(bought: Purchase, used: Sequence[int]) -> tuple[int, ...]:
    """The places of the rates without room, when ``used`` of each is."""
    return tuple(
        place
        for place, (count, each) in enumerate(zip(bought.spend.counts, used, strict=True))
        if count.full(each)
    )


def conclude(
    described: Described,
    stages: Sequence[tuple[Lock, Stage]],
    asked: Sequence[PhaseAsked],
    limits: Mapping[Phase, End],
) -> End | None:
    """The first thing that would end it; None: it is admitted.

    ``stages`` are the locks that hold, ``limits`` what the limits would say in each phase. A
    refused recipient ends nothing while another is left.
    """
    for lock, stage in stages:
        if stage is Stage.REFUSE:
            return End(DecisionKind.REFUSE, Ground.LOCK, Phase.CONNECT, lock.cause)
    for phase in (each for each in _ORDER if any(one.phase is each for one in asked)):
        if phase is Phase.MAIL and not described.envelope.authenticated:
            for lock, stage in stages:
                if stage is Stage.REQUIRE_AUTH:
                    return End(DecisionKind.REFUSE, Ground.LOCK, phase, lock.cause)
        ends = [_end(one) for one in asked if one.phase is phase]
        if ends and all(ends):
            return ends[0]
        if phase in limits:
            return limits[phase]
    return None


_ORDER: Final = (
    *(Phase.CONNECT, Phase.HELO, Phase.AUTH, Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.CONTENT),
)


def _facts(described: Described) -> Iterator[tuple[Phase, Facts]]:
    """What is known in each phase; where a rule cannot ask for a thing, it may be known early."""
    session, envelope = described.session, described.envelope
    facts = Facts(
        source=session.source.address,
        destination=session.original_destination.address,
        destination_port=session.original_destination.port,
        identity=session.identity,
        helo=envelope.helo,
        reverse_path=envelope.reverse_path,
        auth_offered=described.auth_offered,
        spf=described.spf,
        dnsbl=described.dnsbl,
        load=described.load,
        size_octets=described.size_octets,
        verdict=described.verdict,
        score=described.score,
        found=described.found,
    )
    yield Phase.CONNECT, facts
    yield Phase.HELO, facts
    facts.authenticated, facts.auth_user = envelope.authenticated, envelope.auth_user
    if envelope.authenticated:
        yield Phase.AUTH, facts
    yield Phase.MAIL, facts
    for recipient in envelope.recipients:
        facts.recipient = recipient
        yield Phase.RCPT, facts
    facts.recipient = b""
    yield Phase.DATA, facts
    if described.verdict is not None:
        yield Phase.CONTENT, facts


def _profiles(
    described: Described, asked: Sequence[PhaseAsked], until: set[Phase]
) -> tuple[str, ...]:
    given = [name for each in asked if each.phase in until for name in each.ruling.profiles]
    return tuple(dict.fromkeys((*described.profiles, *given)))


def _end(asked: PhaseAsked) -> End | None:
    ruling = asked.ruling
    kind = _KINDS.get(ruling.action) if ruling.action else None
    if kind is None:
        return None
    return End(kind, Ground.RULE, asked.phase, ruling.rule_id, ruling.reply)
