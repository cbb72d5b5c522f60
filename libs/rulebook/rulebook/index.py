"""Which rules of one phase can hold at all, found without asking every one of them.

A rule is filed under one of its conditions, the one that most likely fails: an identity, a
network, a domain, a verdict. Only rules that are filed under what the facts say are asked for
their other conditions. Those with no such condition, but with a pattern, are bundled: one look at
the octets tells whether any of them can hold. The rest are asked always. So a thousand rules
about a thousand customers, or with a thousand patterns, cost what a handful costs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rulebook.bundles import MOST_BUNDLED, Bundle, bundled, can_be_bundled
from rulebook.conditions import FACTS, Matches, OneOf
from rulebook.facts import Facts
from rulebook.filing import File, file_under, finder, most_selective
from rulebook.patterns import Pattern
from rulebook.rules import Action, Condition, Rule

LEAST_BUNDLED: Final = 3
"""Rules; fewer are as quickly asked one by one."""

_IMPLIED: Final[Mapping[Action, tuple[Condition, ...]]] = {
    Action.REQUIRE_AUTH: (OneOf("authenticated", frozenset({False})),)
}
"""Conditions that an action brings along."""


class Candidate(NamedTuple):
    """A rule, and those of its conditions that are still to be asked."""

    rule: Rule
    conditions: tuple[Condition, ...]


class _Bundled(NamedTuple):
    """Rules of which none holds unless the bundle may be found in the fact."""

    fact: Callable[[Facts], bytes]
    bundle: Bundle
    ordinals: list[int]


_Patterns = list[tuple[int, tuple[Pattern, ...]]]
"""Rules by ordinal, each with the patterns of one condition."""


def whole(rule: Rule) -> Candidate:
    """A rule with all its conditions."""
    return Candidate(rule, rule.conditions + _IMPLIED.get(rule.action, ()))


class PhaseIndex:
    """Promises every rule that holds, in the order of the rulebook, beside few that do not."""

    __slots__ = ("_always", "_bundles", "_candidates", "_finders")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._candidates: list[Candidate] = []
        self._always: list[int] = []
        self._bundles: list[_Bundled] = []
        files: dict[str, File] = {}
        patterns: dict[str, _Patterns] = {}
        for ordinal, rule in enumerate(rules):
            candidate = whole(rule)
            if (filed := most_selective(candidate.conditions)) is not None:
                file_under(filed, files.setdefault(filed.key, {}), ordinal)
                rest = tuple(each for each in candidate.conditions if each is not filed)
                candidate = Candidate(rule, rest)
            elif (matches := _bundled_by(candidate.conditions)) is not None:
                patterns.setdefault(matches.key, []).append((ordinal, matches.patterns))
            else:
                self._always.append(ordinal)
            self._candidates.append(candidate)
        self._finders = tuple(finder(key, file) for key, file in files.items())
        for key, several in patterns.items():
            self._bundle(key, several)
        self._always.sort()

    def candidates(self, facts: Facts) -> Iterator[Candidate]:
        ordinals = self._always
        found: set[int] = set()
        for find in self._finders:
            found.update(find(facts))
        for fact, bundle, rules in self._bundles:
            if bundle.may_be_found_in(fact(facts)):
                found.update(rules)
        if found:
            ordinals = sorted(found.union(ordinals))
        return map(self._candidates.__getitem__, ordinals)

    def _bundle(self, key: str, patterns: _Patterns) -> None:
        """Rules whose patterns cannot be bundled after all are asked always."""
        while patterns:
            taken, patterns = _as_many_as_fit(patterns)
            ordinals = [ordinal for ordinal, _ in taken]
            bundle = bundled([each for _, several in taken for each in several])
            if bundle is None or len(ordinals) < LEAST_BUNDLED:
                self._always += ordinals
            else:
                self._bundles.append(_Bundled(FACTS[key], bundle, ordinals))


def _bundled_by(conditions: Iterable[Condition]) -> Matches | None:
    """The condition that a rule can be bundled by, if there is one."""
    for condition in conditions:
        if isinstance(condition, Matches) and all(map(can_be_bundled, condition.patterns)):
            return condition
    return None


def _as_many_as_fit(patterns: _Patterns) -> tuple[_Patterns, _Patterns]:
    """Those of the first rules, at least of one, and the others."""
    fits, room = 1, MOST_BUNDLED - len(patterns[0][1])
    while fits < len(patterns) and len(patterns[fits][1]) <= room:
        room -= len(patterns[fits][1])
        fits += 1
    return patterns[:fits], patterns[fits:]
