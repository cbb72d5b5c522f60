"""What other rules would have made of what has been decided.

Rules that spoke told their facts. Where they kept silent, policy's own questions tell some: the
session, MAIL with the name in HELO, DATA with its recipients. So what nobody asked policy about,
as a recipient the server refused, is not replayed, nor is content that no rule spoke of.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from policy.core.decisions import DecidedBy, KeptDecision, facts_of, octets_of
from rulebook.evaluate import evaluate
from rulebook.values import Action, Facts, Phase, Rulebook

MOST_TOLD: Final = 100
"""Differences told one by one; all are counted."""

PASSES: Final = "admit"
_STOPS: Final = frozenset({Action.REFUSE, Action.DEFER, Action.REQUIRE_AUTH})


@dataclass(frozen=True, slots=True)
class Word:
    """What rules said: ``action`` as in a rulebook, or PASSES; ``rule_id`` of what stops alone."""

    action: str = PASSES
    rule_id: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the rules of then and the others part."""

    decision: KeptDecision
    phase: Phase
    recipient: str
    then: Word
    now: Word


@dataclass(frozen=True, slots=True)
class Turn:
    """A kind of difference: what it was, what it would be, and by which rule."""

    phase: Phase
    then: Word
    now: Word


@dataclass(frozen=True, slots=True)
class Replayed:
    """``asked``: phases of sessions and messages that the rules were asked about."""

    asked: int
    turns: Counter[Turn]
    told: tuple[Difference, ...]


def replay(book: Rulebook, decisions: Sequence[KeptDecision]) -> Replayed:
    """Patterns run: not on the loop."""
    asked, turns, told = 0, Counter[Turn](), list[Difference]()
    for kept, phase, facts, then in _moments(decisions):
        asked += 1
        ruling = evaluate(book, phase, facts)
        now = _word(ruling.action.value if ruling.action else "", ruling.rule_id)
        if now.action == then.action:
            continue
        turns[Turn(phase, then, now)] += 1
        if len(told) < MOST_TOLD:
            told.append(Difference(kept, phase, facts.recipient.decode("latin-1"), then, now))
    return Replayed(asked, turns, tuple(told))


def _moments(
    decisions: Sequence[KeptDecision],
) -> Iterator[tuple[KeptDecision, Phase, Facts, Word]]:
    spoken = set()
    for kept in decisions:
        if kept.by is DecidedBy.RULES:
            spoken.add(_place(kept, kept.phase, kept.facts.recipient))
            rule_id = kept.cause.removeprefix("rule:")
            yield kept, kept.phase, facts_of(kept), _word(kept.action, rule_id)
    for kept in decisions:
        if kept.by is DecidedBy.POLICY:
            for phase, facts in _silent(kept):
                place = _place(kept, phase, facts.recipient.decode("latin-1"))
                if place not in spoken:
                    spoken.add(place)
                    yield kept, phase, facts, Word()


def _silent(kept: KeptDecision) -> Iterator[tuple[Phase, Facts]]:
    """The phases that a question of policy's tells the facts of."""
    facts = facts_of(kept)
    yield kept.phase, facts
    if kept.phase is Phase.MAIL:
        yield Phase.HELO, replace(facts, reverse_path=b"", authenticated=False, auth_user=b"")
    if kept.phase is Phase.DATA:
        for recipient in kept.facts.recipients:
            yield Phase.RCPT, replace(facts, recipient=octets_of(recipient))


def _place(kept: KeptDecision, phase: Phase, recipient: str) -> tuple[str, int, Phase, str]:
    """Phases of the session have no message."""
    of_message = phase in (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.CONTENT)
    told = recipient if phase is Phase.RCPT else ""
    return kept.session_id, kept.transaction if of_message else 0, phase, told


def _word(action: str, rule_id: str) -> Word:
    return Word(action, rule_id) if action in _STOPS else Word()
