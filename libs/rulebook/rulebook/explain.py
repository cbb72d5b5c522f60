"""Why the rules of one phase say what they say: each rule with each of its conditions.

The same conditions are asked in the same order as by ``evaluate``, but none is left out. It is
for people: an edge never asks.
"""

from dataclasses import dataclass
from enum import StrEnum

from rulebook.evaluate import ENDING, holds_when_cut
from rulebook.index import whole
from rulebook.patterns import PatternCutError
from rulebook.rules import Condition, Rule
from rulebook.values import Action, Facts, Mode, Phase, Rulebook


class Outcome(StrEnum):
    """Of one condition. CUT: a pattern reached its match limit."""

    HOLDS = "holds"
    FAILS = "fails"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class ConditionAsked:
    """``key`` as in ``when``."""

    key: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RuleConsidered:
    """``holds``: all its conditions do. ``reached``: no rule before it had ended the phase.

    ``bit``: it was reached, holds, and is not in shadow. ``ended``: it bit, and is the one that
    ended the phase.
    """

    rule_id: str
    action: Action
    mode: Mode
    conditions: tuple[ConditionAsked, ...]
    holds: bool
    reached: bool
    bit: bool
    ended: bool


def explain(rulebook: Rulebook, phase: Phase, facts: Facts) -> tuple[RuleConsidered, ...]:
    """Every rule of the phase, in the order of the rulebook."""
    considered = []
    reached = True
    for rule in rulebook.rules.get(phase, ()):
        asked = tuple(
            ConditionAsked(condition.key, _outcome(condition, facts))
            for condition in whole(rule).conditions
        )
        holds = all(_counts_as_holding(each.outcome, rule) for each in asked)
        bit = reached and holds and rule.mode is Mode.ENFORCE
        ended = bit and rule.action in ENDING
        considered.append(
            RuleConsidered(rule.id, rule.action, rule.mode, asked, holds, reached, bit, ended)
        )
        reached = reached and not ended
    return tuple(considered)


def _outcome(condition: Condition, facts: Facts) -> Outcome:
    try:
        return Outcome.HOLDS if condition(facts) else Outcome.FAILS
    except PatternCutError:
        return Outcome.CUT


def _counts_as_holding(outcome: Outcome, rule: Rule) -> bool:
    return outcome is Outcome.HOLDS or (outcome is Outcome.CUT and holds_when_cut(rule))
