"""The conditions a rule can have, and how each is read from a document.

``CONDITIONS`` is the whole list: key of the document -> reader of its value. A reader gets
the TOML value and returns a ``Condition``, or raises ``RulebookError`` saying what is right.
"""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Final

from rulebook.errors import RulebookError, shown
from rulebook.networks import NetworkSet
from rulebook.values import Condition, Facts
from smtpgated_contracts.values.scan import VerdictKind


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return value
    raise RulebookError(f"{shown(value)} should be a text or a list of texts")


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RulebookError(f"{shown(value)} should be a number")
    if isinstance(value, float) and not isfinite(value):
        raise RulebookError(f"{shown(value)} should be a number that others can be compared with")
    return value


def _source(value: object) -> Condition:
    networks = NetworkSet.parse(_texts(value))
    return lambda facts: networks.covers(facts.source)


def _destination(value: object) -> Condition:
    networks = NetworkSet.parse(_texts(value))
    return lambda facts: networks.covers(facts.destination)


def _destination_port(value: object) -> Condition:
    ports = value if isinstance(value, list) else [value]
    if not ports or not all(type(port) is int and 0 < port < 65536 for port in ports):  # noqa: PLR2004 - TCP's range
        raise RulebookError(f"{shown(value)} should be a port from 1 to 65535 or a list of ports")
    wanted = frozenset(ports)
    return lambda facts: facts.destination_port in wanted


def _identity(value: object) -> Condition:
    """ "" is a source of which nobody says who it is."""
    wanted = frozenset(_texts(value))
    return lambda facts: facts.identity in wanted


def _authenticated(value: object) -> Condition:
    if not isinstance(value, bool):
        raise RulebookError(f"{shown(value)} should be true or false")
    return lambda facts: facts.authenticated is value


def _verdict(value: object) -> Condition:
    try:
        wanted = frozenset(VerdictKind(text) for text in _texts(value))
    except ValueError:
        known = ", ".join(VerdictKind)
        raise RulebookError(f"{shown(value)} should be one of {known}, or a list of them") from None
    return lambda facts: facts.verdict in wanted


def _score_at_least(value: object) -> Condition:
    least = _number(value)
    return lambda facts: facts.score >= least


def _size_over(value: object) -> Condition:
    most = _number(value)

    def over(facts: Facts) -> bool:
        return facts.size_octets > most

    return over


CONDITIONS: Final[Mapping[str, Callable[[object], Condition]]] = {
    "source": _source,
    "destination": _destination,
    "destination_port": _destination_port,
    "identity": _identity,
    "authenticated": _authenticated,
    "verdict": _verdict,
    "score_at_least": _score_at_least,
    "size_over_octets": _size_over,
}
