"""Which rules of one phase can hold at all, found without asking every one of them.

A rule is filed under one of its conditions, the one that most likely fails: an identity, a
network, a domain, a verdict. Only rules that are filed under what the facts say are asked for
their other conditions; those with no such condition are asked always. So a thousand rules about
a thousand customers cost what a handful costs.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rulebook.conditions import FACTS, AnyOf, InDomains, InNetworks, OneOf, upwards
from rulebook.facts import Facts
from rulebook.networks import BITS, Prefix, number_of
from rulebook.rules import Action, Condition, Rule

_IMPLIED: Final[Mapping[Action, tuple[Condition, ...]]] = {
    Action.REQUIRE_AUTH: (OneOf("authenticated", frozenset({False})),)
}
"""Conditions that an action brings along."""

_FILED_UNDER: Final = (
    *("identity", "auth_user", "source", "sender_domain", "recipient_domain", "destination"),
    *("dnsbl", "spf", "verdict", "destination_port", "auth_offered", "authenticated"),
)
"""Keys that a rule can be filed under, the one that holds for the fewest sessions first."""

_Ordinals = dict[Hashable, list[int]]


class Candidate(NamedTuple):
    """A rule, and those of its conditions that are still to be asked."""

    rule: Rule
    conditions: tuple[Condition, ...]


def whole(rule: Rule) -> Candidate:
    """A rule with all its conditions."""
    return Candidate(rule, rule.conditions + _IMPLIED.get(rule.action, ()))


class PhaseIndex:
    """Promises every rule that holds, in the order of the rulebook, beside few that do not."""

    __slots__ = ("_always", "_candidates", "_files")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._candidates: list[Candidate] = []
        self._always: list[int] = []
        filed: dict[str, _Ordinals] = {}
        for ordinal, rule in enumerate(rules):
            candidate = whole(rule)
            under = _most_selective(candidate.conditions)
            if under is None:
                self._always.append(ordinal)
            else:
                file = filed.setdefault(under.key, {})
                for value in _values(under):
                    file.setdefault(value, []).append(ordinal)
                rest = tuple(each for each in candidate.conditions if each is not under)
                candidate = Candidate(rule, rest)
            self._candidates.append(candidate)
        self._files: tuple[tuple[Callable[[Facts], Iterable[Hashable]], _Ordinals], ...] = tuple(
            (_said(key, file), file) for key, file in filed.items()
        )

    def candidates(self, facts: Facts) -> Iterator[Candidate]:
        ordinals = self._always
        found: set[int] = set()
        for said, file in self._files:
            for value in said(facts):
                if value in file:
                    found.update(file[value])
        if found:
            ordinals = sorted(found.union(ordinals))
        return map(self._candidates.__getitem__, ordinals)


def _most_selective(conditions: Iterable[Condition]) -> Condition | None:
    by_key = {each.key: each for each in conditions if _can_be_filed(each)}
    return next((by_key[key] for key in _FILED_UNDER if key in by_key), None)


def _can_be_filed(condition: Condition) -> bool:
    if isinstance(condition, InNetworks):  # 0.0.0.0/0 would be found for everybody
        return all(prefix.length for prefix in condition.networks.prefixes)
    return isinstance(condition, OneOf | AnyOf | InDomains)


def _values(condition: Condition) -> Iterable[Hashable]:
    """What the condition is filed under, as ``_said`` spells it."""
    match condition:
        case OneOf(_, wanted) | AnyOf(_, wanted):
            return wanted
        case InNetworks(_, networks):
            return set(networks.prefixes)
        case InDomains(_, names, parents):
            return {*((name, True) for name in names), *((parent, False) for parent in parents)}
    raise AssertionError(f"{condition.key} cannot be filed")


def _said(key: str, file: _Ordinals) -> Callable[[Facts], Iterable[Hashable]]:
    """What the facts say of ``key``: everything that a rule could be filed under for it."""
    fact = FACTS[key]
    if key in ("source", "destination"):
        lengths = {
            version: sorted(
                {
                    each.length
                    for each in file
                    if isinstance(each, Prefix) and each.version == version
                }
            )
            for version in BITS
        }
        return lambda facts: _prefixes(fact(facts), lengths)
    if key in ("sender_domain", "recipient_domain"):
        return lambda facts: _domains(fact(facts))
    if key == "dnsbl":
        return fact
    return lambda facts: (fact(facts),)


def _prefixes(address: str, lengths: Mapping[int, Sequence[int]]) -> list[Hashable]:
    found = number_of(address)
    if found is None:
        return []
    version, number = found
    bits = BITS[version]
    return [(version, length, number >> bits - length) for length in lengths[version]]


def _domains(domain: str) -> list[Hashable]:
    return [(domain, True), *((each, False) for each in upwards(domain))]
