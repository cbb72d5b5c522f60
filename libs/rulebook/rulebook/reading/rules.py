"""``[[rules]]`` -> rules, each one known by its id and permitted in its phase."""

from functools import partial
from typing import Final

from rulebook.conditions import FoundMatches, Matches, MatchesNot
from rulebook.errors import RulebookError
from rulebook.facts import Phase
from rulebook.permitted import ACTIONS
from rulebook.permitted import CONDITIONS as OF_PHASE
from rulebook.reading.conditions import CONDITIONS
from rulebook.reading.fields import (
    Table,
    at,
    choice,
    identifier,
    only,
    profile,
    reply,
    table,
    tables,
)
from rulebook.reading.sanctions import read_burden
from rulebook.rules import Action, Mode, Rule

MOST_RULES: Final = 10_000
MOST_PATTERNS: Final = 2000
"""Of all rules together: each takes some KiB of machine code."""

_KEYS: Final = frozenset(
    ("id", "phase", "when", "action", "mode", "reply", "profile", "lock_s", "points", "on")
)


def read_rules(document: Table) -> dict[Phase, tuple[Rule, ...]]:
    """By phase, in the order of the document."""
    rules = [
        _rule(entry, f"rules[{index}]")
        for index, entry in enumerate(tables(document, "rules", MOST_RULES))
    ]
    patterns = sum(len(each.patterns) for rule in rules for each in _with_patterns(rule))
    if patterns > MOST_PATTERNS:
        raise RulebookError(f"rules: should have at most {MOST_PATTERNS} patterns together")
    by_phase: dict[Phase, list[Rule]] = {}
    for rule in rules:
        by_phase.setdefault(rule.phase, []).append(rule)
    return {phase: tuple(by_phase[phase]) for phase in Phase if phase in by_phase}


def _with_patterns(rule: Rule) -> list[Matches | MatchesNot | FoundMatches]:
    return [
        each for each in rule.conditions if isinstance(each, Matches | MatchesNot | FoundMatches)
    ]


def _rule(entry: Table, place: str) -> Rule:
    only(entry, _KEYS, place)
    name = identifier(entry, place)
    phase = choice(Phase, entry.get("phase"), f"{place}.phase")
    action = choice(Action, entry.get("action"), f"{place}.action")
    if action not in ACTIONS[phase]:
        possible = ", ".join(sorted(ACTIONS[phase]))
        raise RulebookError(
            f"{place}.action = '{action}': not in phase {phase}; possible: {possible}"
        )
    when = table(entry, "when", place)
    only(when, OF_PHASE[phase], f"{place}.when")
    burden = read_burden(entry, place)
    return Rule(
        id=name,
        phase=phase,
        action=action,
        conditions=tuple(
            at(f"{place}.when.{key}", partial(CONDITIONS[key], key), when[key])
            for key in sorted(when, key=_is_dear)
        ),
        mode=choice(Mode, entry.get("mode", Mode.ENFORCE), f"{place}.mode"),
        reply=reply(entry, place),
        lock_s=burden.lock_s,
        points=burden.points,
        on=burden.on,
        profile=_profile(entry, action, place),
    )


def _is_dear(key: str) -> bool:
    """Patterns are asked last: what is cheap may spare them."""
    return "_matches" in key


def _profile(entry: Table, action: Action, place: str) -> str:
    name = profile(entry.get("profile", ""), f"{place}.profile")
    if bool(name) is not (action is Action.LIMIT_PROFILE):
        raise RulebookError(
            f"{place}.profile = '{name}': should be given with action limit-profile, and only then"
        )
    return name
