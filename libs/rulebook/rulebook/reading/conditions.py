"""How each condition is read: key of ``when`` -> reader of its value."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from rulebook.conditions import (
    AnyOf,
    AtLeast,
    FoundMatches,
    InDomains,
    InNetworks,
    Matches,
    MatchesNot,
    OneOf,
    Over,
    a_label,
)
from rulebook.errors import RulebookError, shown
from rulebook.networks import NetworkSet
from rulebook.patterns import Pattern
from rulebook.reading.fields import number, texts, yes_or_no
from rulebook.rules import Condition
from smtpgated_contracts.values.policy import SpfResult
from smtpgated_contracts.values.scan import VerdictKind

MOST_PATTERNS: Final = 20
"""Of one condition."""

Reader = Callable[[str, Any], Condition]
_DOMAIN: Final = re.compile(r"\.?[^\s.@*]{1,63}(?:\.[^\s.@*]{1,63}){0,126}")


def _networks(key: str, value: Any) -> Condition:
    return InNetworks(key, NetworkSet.parse(texts(value)))


def _ports(key: str, value: Any) -> Condition:
    ports = value if isinstance(value, list) else [value]
    if not ports or not all(type(port) is int and 0 < port < 65536 for port in ports):  # noqa: PLR2004 - TCP's range
        raise RulebookError(f"{shown(value)} should be a port from 1 to 65535 or a list of ports")
    return OneOf(key, frozenset(ports))


def _names(key: str, value: Any) -> Condition:
    """ "" stands for whoever has none."""
    return OneOf(key, frozenset(texts(value)))


def _yes_or_no(key: str, value: Any) -> Condition:
    return OneOf(key, frozenset({yes_or_no(value)}))


def _one_of(kind: type[SpfResult] | type[VerdictKind]) -> Reader:
    def read(key: str, value: Any) -> Condition:
        try:
            return OneOf(key, frozenset(kind(text) for text in texts(value)))
        except ValueError:
            known = ", ".join(kind)
            raise RulebookError(
                f"{shown(value)} should be one of {known}, or a list of them"
            ) from None

    return read


def _domains(key: str, value: Any) -> Condition:
    """``example.org`` is that domain alone, ``.example.org`` everything in it as well."""
    for text in (given := texts(value)):
        if text and (text != text.lower() or not _DOMAIN.fullmatch(text)):
            raise RulebookError(
                f"{shown(text)} should be a domain in lower case, as example.org, or .example.org "
                "with all its subdomains"
            )
    parents = {a_label(text[1:]) for text in given if text.startswith(".")}
    names = {a_label(text) for text in given if not text.startswith(".")}
    return InDomains(key, frozenset(names), frozenset(parents))


def _zones(key: str, value: Any) -> Condition:
    return AnyOf(key, frozenset(texts(value)))


def _over(key: str, value: Any) -> Condition:
    return Over(key, number(value))


def _at_least(key: str, value: Any) -> Condition:
    return AtLeast(key, number(value))


def _patterns(kind: type[Matches] | type[MatchesNot] | type[FoundMatches]) -> Reader:
    def read(key: str, value: Any) -> Condition:
        given = texts(value)
        if len(given) > MOST_PATTERNS:
            raise RulebookError(f"should be at most {MOST_PATTERNS} patterns")
        return kind(key, tuple(map(Pattern.parse, given)))

    return read


CONDITIONS: Final[Mapping[str, Reader]] = {
    "source": _networks,
    "destination": _networks,
    "destination_port": _ports,
    "identity": _names,
    "auth_user": _names,
    "auth_offered": _yes_or_no,
    "authenticated": _yes_or_no,
    "helo_matches": _patterns(Matches),
    "helo_matches_not": _patterns(MatchesNot),
    "mail_from_matches": _patterns(Matches),
    "mail_from_matches_not": _patterns(MatchesNot),
    "rcpt_to_matches": _patterns(Matches),
    "rcpt_to_matches_not": _patterns(MatchesNot),
    "sender_domain": _domains,
    "recipient_domain": _domains,
    "spf": _one_of(SpfResult),
    "dnsbl": _zones,
    "load_over": _over,
    "size_over_octets": _over,
    "verdict": _one_of(VerdictKind),
    "score_at_least": _at_least,
    "found_matches": _patterns(FoundMatches),
}
