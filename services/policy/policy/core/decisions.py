"""Decisions as they are kept: by whom, on which facts, under which version of the rulebook.

Policy decides on sessions and messages by locks and limits, the rules at the edge in every phase;
one shape holds both. Octets of strangers are kept one character an octet (ISO 8859-1), so that the
rules can be asked again about exactly what they saw.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from policy.core.farm import Farm
from policy.core.rates import Spent
from policy.core.spending import Purchase
from rulebook.bearers import counted_as
from rulebook.values import Facts, Phase
from smtpgated_contracts.values.asked import DataAsked, MailAsked, SessionAsked
from smtpgated_contracts.values.mail import Envelope, SessionRef
from smtpgated_contracts.values.policy import (
    Decision,
    Lock,
    SpfResult,
    Stage,
    identity_subject,
)
from smtpgated_contracts.values.reported import RulingReport
from smtpgated_contracts.values.scan import VerdictKind

MOST_OCTETS: Final = 1024
"""Kept of any one text; RFC 5321 §4.5.3.1 allows a path 256 octets and a line 512."""

MOST_RECIPIENTS: Final = 20
"""Recipients kept of one message; ``recipient_count`` says how many there were."""

MOST_NAMES: Final = 64
"""Kept of any list of names: rules that noted, zones, findings, profiles."""

_ID_DIGITS: Final = 11
Asked = SessionAsked | MailAsked | DataAsked
_PHASES: Final = {
    SessionAsked: Phase.CONNECT,
    MailAsked: Phase.MAIL,
    DataAsked: Phase.DATA,
}


class DecidedBy(StrEnum):
    """POLICY: locks and limits. RULES: the rulebook, at the edge."""

    POLICY = "policy"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class KeptFacts:
    """What is known when somebody decides, beyond the session."""

    helo: str = ""
    reverse_path: str = ""
    recipients: tuple[str, ...] = ()
    recipient_count: int = 0
    recipient: str = ""
    authenticated: bool = False
    auth_user: str = ""
    auth_offered: bool = False
    spf: SpfResult | None = None
    listed_in: tuple[str, ...] = ()
    verdict: VerdictKind | None = None
    score: float = 0.0
    found: tuple[str, ...] = ()
    load: float = 0.0
    size_octets: int = 0
    profiles: tuple[str, ...] = ()


_NOTHING: Final = KeptFacts()
_NOTHING_SAID: Final = Envelope()


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """``action`` is policy's kind of decision, or the rules' action as the rulebook spells it;
    empty: rules spoke and none decided. ``cause``: ``lock:``, ``limit:`` or ``rule:`` and a name.

    ``why`` says of locks and limits how they stood. ``shadows`` would have decided otherwise.
    """

    decision_id: str
    at_ms: int
    by: DecidedBy
    session_id: str
    edge_id: str
    source: str
    destination: str
    destination_port: int
    identity: str
    transaction: int
    phase: Phase
    action: str
    cause: str = ""
    reply_code: int = 0
    why: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    shadows: tuple[str, ...] = ()
    rulebook_version: int = 0
    facts: KeptFacts = _NOTHING


def decision_id(at_ms: int, replica: str, number: int) -> str:
    """Found again by its moment; ``replica``: hexadecimal, of one process alone."""
    return f"{at_ms:0{_ID_DIGITS}x}-{replica}-{number:x}"


def decided_at_ms(name: str) -> int:
    """Raises ValueError for what is no decision's id."""
    moment, _, rest = name.partition("-")
    if len(moment) != _ID_DIGITS or not rest:
        raise ValueError(f"{name[:64]!r} is no decision's id")
    return int(moment, 16)


def kept_answer(
    name: str, at_ms: int, asked: Asked, decision: Decision, why: tuple[str, ...], version: int
) -> KeptDecision:
    """Policy's answer to a question of an edge's."""
    session = asked.session
    envelope, transaction, declared = _NOTHING_SAID, 0, 0
    if not isinstance(asked, SessionAsked):
        envelope, transaction = asked.envelope, asked.transaction
        declared = asked.declared_octets
    return KeptDecision(
        name,
        at_ms,
        DecidedBy.POLICY,
        session.session_id,
        session.edge_id,
        session.source.address,
        session.original_destination.address,
        session.original_destination.port,
        session.identity,
        transaction,
        _PHASES[type(asked)],
        decision.kind.value,
        decision.cause,
        why=why,
        shadows=decision.shadows,
        rulebook_version=version,
        facts=KeptFacts(
            helo=_text(envelope.helo),
            reverse_path=_text(envelope.reverse_path),
            recipients=tuple(map(_text, envelope.recipients[:MOST_RECIPIENTS])),
            recipient_count=len(envelope.recipients),
            authenticated=envelope.authenticated,
            auth_user=_text(envelope.auth_user),
            size_octets=declared,
            profiles=asked.profiles[:MOST_NAMES],
        ),
    )


def kept_ruling(name: str, at_ms: int, told: RulingReport) -> KeptDecision | None:
    """What the rules of one phase said; None: of a phase that nobody here knows."""
    if told.phase not in _KNOWN_PHASES:
        return None
    session, facts = told.session, told.facts
    return KeptDecision(
        name,
        told.at_ms or at_ms,
        DecidedBy.RULES,
        session.session_id,
        session.edge_id,
        session.source.address,
        session.original_destination.address,
        session.original_destination.port,
        session.identity,
        told.transaction,
        Phase(told.phase),
        told.action[:MOST_OCTETS],
        f"rule:{told.rule_id[:MOST_OCTETS]}" if told.rule_id else "",
        told.reply_code,
        noted=_names(told.noted),
        shadows=_names(told.shadows),
        rulebook_version=told.rulebook_version,
        facts=KeptFacts(
            helo=_text(facts.envelope.helo),
            reverse_path=_text(facts.envelope.reverse_path),
            recipient=_text(facts.recipient),
            authenticated=facts.envelope.authenticated,
            auth_user=_text(facts.envelope.auth_user),
            auth_offered=facts.auth_offered,
            spf=facts.spf,
            listed_in=_names(facts.listed_in),
            verdict=facts.verdict,
            score=facts.score,
            found=_names(facts.found),
            load=facts.load,
            size_octets=facts.size_octets,
        ),
    )


def facts_of(kept: KeptDecision) -> Facts:
    """What the rules were asked about."""
    known = kept.facts
    return Facts(
        source=kept.source,
        destination=kept.destination,
        destination_port=kept.destination_port,
        identity=kept.identity,
        helo=octets_of(known.helo),
        reverse_path=octets_of(known.reverse_path),
        recipient=octets_of(known.recipient),
        authenticated=known.authenticated,
        verdict=known.verdict,
        score=known.score,
        size_octets=known.size_octets,
        auth_user=octets_of(known.auth_user),
        auth_offered=known.auth_offered,
        spf=known.spf,
        dnsbl=frozenset(known.listed_in),
        load=known.load,
        found=known.found,
    )


def octets_of(text: str) -> bytes:
    """Of a text of KeptFacts."""
    return text.encode("latin-1", "replace")


def reasons(
    farm: Farm, session: SessionRef, bought: Purchase | None, spent: Spent | None, now_ms: int
) -> tuple[str, ...]:
    """How the locks and limits stood that spoke against it, for people."""
    return (*_locked(farm, session, now_ms), *_used_up(bought, spent))


def _locked(farm: Farm, session: SessionRef, now_ms: int) -> Iterator[str]:
    if farm.exemptions.cover_source(session.source.address, session.identity):
        return
    for lock in farm.locks.on(session.source.address, session.identity, now_ms):
        stage = lock.stage_at(now_ms)
        if stage is Stage.REFUSE:
            yield _text(_lock_in_words(lock).encode())


def _lock_in_words(lock: Lock) -> str:
    until = (
        f"until {datetime.fromtimestamp(lock.expires_at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
        if lock.expires_at_ms
        else "until it is removed"
    )
    by = f" by {lock.author}" if lock.author else ""
    reason = f": {lock.reason}" if lock.reason else ""
    return f"lock {lock.cause} on {lock.subject}{by}, {until}{reason}"


def _used_up(bought: Purchase | None, spent: Spent | None) -> Iterator[str]:
    if bought is None or spent is None:
        return
    for at in spent.full:
        count, rate = bought.spend.counts[at], bought.rates[at]
        yield (
            f"limit {rate.id}: {spent.used[at]} of {count.limit} {rate.count} in {rate.window_s} s"
            f" used by {count.subject}, {count.cost} more asked for"
            f"{'' if count.is_enforced else ' (shadow)'}"
        )


@dataclass(frozen=True, slots=True)
class Shadowed:
    """``day``: UTC, as 2026-11-24. ``rule``: a rule's or a limit's id."""

    day: str
    rule: str
    subject: str


def shadows_in(decisions: Iterable[KeptDecision]) -> Counter[Shadowed]:
    """How often each rule in shadow would have bitten whom."""
    return Counter(
        Shadowed(day_of(each.at_ms), rule, _subject(each))
        for each in decisions
        for rule in each.shadows
    )


def day_of(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%d")


def _subject(kept: KeptDecision) -> str:
    return identity_subject(kept.identity) if kept.identity else counted_as(kept.source)


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each[:MOST_OCTETS] for each in names[:MOST_NAMES])


def _text(octets: bytes) -> str:
    return octets[:MOST_OCTETS].decode("latin-1")


_KNOWN_PHASES: Final = frozenset(each.value for each in Phase)
