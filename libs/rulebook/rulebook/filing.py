"""What a rule is filed under, and what the facts look under: the two must agree.

A condition about an identity is filed under that identity, one about networks under each prefix,
one about domains under each name, with True for the name alone and False for all below it.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Final

from rulebook.conditions import FACTS, AnyOf, InDomains, InNetworks, OneOf, upwards
from rulebook.facts import Facts
from rulebook.networks import BITS, Prefix, number_of
from rulebook.rules import Condition

File = dict[Hashable, list[int]]
"""Ordinals of rules by what they are filed under, for one key."""

_FILED_UNDER: Final = (
    *("identity", "auth_user", "source", "sender_domain", "recipient_domain", "destination"),
    *("dnsbl", "spf", "verdict", "destination_port", "auth_offered", "authenticated"),
)
"""Keys that a rule can be filed under, the one that holds for the fewest sessions first."""


def most_selective(conditions: Iterable[Condition]) -> Condition | None:
    """The condition to file a rule under; None: it has none of that kind."""
    by_key = {each.key: each for each in conditions if _can_be_filed(each)}
    return next((by_key[key] for key in _FILED_UNDER if key in by_key), None)


def file_under(condition: Condition, file: File, ordinal: int) -> None:
    """``condition`` is one that ``most_selective`` chose."""
    for value in _values(condition):
        file.setdefault(value, []).append(ordinal)


def finder(key: str, file: File) -> Callable[[Facts], list[int]]:
    """Finds the rules that are filed under what facts say; made when the file is complete."""
    said = _said(key, file)

    def find(facts: Facts) -> list[int]:
        return [ordinal for value in said(facts) if value in file for ordinal in file[value]]

    return find


def _can_be_filed(condition: Condition) -> bool:
    if isinstance(condition, InNetworks):  # 0.0.0.0/0 would be found for everybody
        return all(prefix.length for prefix in condition.networks.prefixes)
    return isinstance(condition, OneOf | AnyOf | InDomains)


def _values(condition: Condition) -> Iterable[Hashable]:
    match condition:
        case OneOf(_, wanted) | AnyOf(_, wanted):
            return wanted
        case InNetworks(_, networks):
            return set(networks.prefixes)
        case InDomains(_, names, parents):
            return {*((name, True) for name in names), *((parent, False) for parent in parents)}
    raise AssertionError(f"{condition.key} cannot be filed")


def _said(key: str, file: File) -> Callable[[Facts], Iterable[Hashable]]:
    fact = FACTS[key]
    if key in ("source", "destination"):
        lengths = _lengths(file)
        return lambda facts: _prefixes(fact(facts), lengths)
    if key in ("sender_domain", "recipient_domain"):
        return lambda facts: _domains(fact(facts))
    if key == "dnsbl":
        return fact
    return lambda facts: (fact(facts),)


def _lengths(file: File) -> dict[int, list[int]]:
    """The lengths of prefixes that occur, by version of IP."""
    prefixes = {each for each in file if isinstance(each, Prefix)}
    return {
        version: sorted({each.length for each in prefixes if each.version == version})
        for version in BITS
    }


def _prefixes(address: str, lengths: Mapping[int, Sequence[int]]) -> list[Hashable]:
    found = number_of(address)
    if found is None:
        return []
    version, number = found
    bits = BITS[version]
    return [(version, length, number >> bits - length) for length in lengths[version]]


def _domains(domain: str) -> list[Hashable]:
    return [(domain, True), *((each, False) for each in upwards(domain))]
