"""The kinds of conditions, as values: each knows its key in a document and asks the facts.

``FACTS`` says which fact a condition of that key asks about.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from rulebook.facts import Facts
from rulebook.networks import NetworkSet
from rulebook.patterns import Pattern

LONGEST_DOMAIN: Final = 255
"""Octets (RFC 1035 §2.3.4)."""


def domain_of(address: bytes) -> str:
    """The domain of an address of the envelope, lower case; empty where there is none.

    Of one that is longer than any domain only the end: thousands of labels have thousands of
    parents, and MAIL may be 12 KB long.
    """
    domain = address.rpartition(b"@")[2][-LONGEST_DOMAIN:] if b"@" in address else b""
    return a_label(domain.decode("utf-8", "replace").lower().rstrip("."))


@lru_cache(maxsize=1024)
def a_label(domain: str) -> str:
    """An internationalized domain in its ASCII form (RFC 5890), so that both spellings are one."""
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


FACTS: Final[Mapping[str, Callable[[Facts], Any]]] = {
    "source": attrgetter("source"),
    "destination": attrgetter("destination"),
    "destination_port": attrgetter("destination_port"),
    "identity": attrgetter("identity"),
    "auth_user": lambda facts: facts.auth_user.decode("utf-8", "replace"),
    "auth_offered": attrgetter("auth_offered"),
    "authenticated": attrgetter("authenticated"),
    "helo_matches": attrgetter("helo"),
    "helo_matches_not": attrgetter("helo"),
    "mail_from_matches": attrgetter("reverse_path"),
    "mail_from_matches_not": attrgetter("reverse_path"),
    "rcpt_to_matches": attrgetter("recipient"),
    "rcpt_to_matches_not": attrgetter("recipient"),
    "sender_domain": lambda facts: domain_of(facts.reverse_path),
    "recipient_domain": lambda facts: domain_of(facts.recipient),
    "spf": attrgetter("spf"),
    "dnsbl": attrgetter("dnsbl"),
    "load_over": attrgetter("load"),
    "size_over_octets": attrgetter("size_octets"),
    "verdict": attrgetter("verdict"),
    "score_at_least": attrgetter("score"),
    "found_matches": attrgetter("found"),
}


@dataclass(frozen=True, slots=True)
class OneOf:
    """The fact is one of those wanted."""

    key: str
    wanted: frozenset[object]

    def __call__(self, facts: Facts) -> bool:
        return FACTS[self.key](facts) in self.wanted


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The fact is a set that has one of those wanted."""

    key: str
    wanted: frozenset[str]

    def __call__(self, facts: Facts) -> bool:
        return not self.wanted.isdisjoint(FACTS[self.key](facts))


@dataclass(frozen=True, slots=True)
class InNetworks:
    """The fact is an address in one of the networks."""

    key: str
    networks: NetworkSet

    def __call__(self, facts: Facts) -> bool:
        return self.networks.covers(FACTS[self.key](facts))


@dataclass(frozen=True, slots=True)
class InDomains:
    """The fact is one of the ``names``, or one of the ``parents`` or a name below it."""

    key: str
    names: frozenset[str]
    parents: frozenset[str]

    def __call__(self, facts: Facts) -> bool:
        domain: str = FACTS[self.key](facts)
        if domain in self.names:
            return True
        return bool(self.parents) and any(each in self.parents for each in upwards(domain))


def upwards(domain: str) -> list[str]:
    """The domain and those it lies in: ``a.b.c`` -> ``a.b.c``, ``b.c``, ``c``."""
    labels = domain.split(".")
    return [".".join(labels[at:]) for at in range(len(labels))]


@dataclass(frozen=True, slots=True)
class Over:
    """The fact is a number above ``bound``."""

    key: str
    bound: float

    def __call__(self, facts: Facts) -> bool:
        return bool(FACTS[self.key](facts) > self.bound)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The fact is a number that reaches ``bound``."""

    key: str
    bound: float

    def __call__(self, facts: Facts) -> bool:
        return bool(FACTS[self.key](facts) >= self.bound)


@dataclass(frozen=True, slots=True)
class Matches:
    """One of the patterns is found in the octets."""

    key: str
    patterns: tuple[Pattern, ...]

    def __call__(self, facts: Facts) -> bool:
        octets: bytes = FACTS[self.key](facts)
        return any(pattern.found_in(octets) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class MatchesNot:
    """None of the patterns is found in the octets."""

    key: str
    patterns: tuple[Pattern, ...]

    def __call__(self, facts: Facts) -> bool:
        octets: bytes = FACTS[self.key](facts)
        return not any(pattern.found_in(octets) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class FoundMatches:
    """One of the patterns is found in the name of one finding."""

    key: str
    patterns: tuple[Pattern, ...]

    def __call__(self, facts: Facts) -> bool:
        return any(
            pattern.found_in(name.encode()) for name in facts.found for pattern in self.patterns
        )
