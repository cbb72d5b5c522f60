"""``[limits]``, ``[scanning]`` and ``[exempt]`` -> what holds for the whole farm."""

from dataclasses import fields
from typing import Any, Final

from rulebook.errors import RulebookError, shown
from rulebook.farm import Limits, Oversize, Scanning, Stance
from rulebook.networks import NetworkSet
from rulebook.reading.fields import Table, at, choice, count, only, profile, table
from smtpgated_contracts.values.scan import EngineClass

_LIMITS: Final = tuple(each.name for each in fields(Limits))


def read_limits(document: Table) -> Limits:
    entry = table(document, "limits")
    only(entry, _LIMITS, "limits")
    return Limits(**{name: count(entry, name, 0, "limits") for name in _LIMITS})


def read_scanning(document: Table) -> Scanning:
    entry = table(document, "scanning")
    default = Scanning()
    only(entry, ("limit_octets", "oversize", "stances", "profile"), "scanning")
    stances = table(entry, "stances", "scanning")
    only(stances, frozenset(EngineClass), "scanning.stances")
    given = {
        EngineClass(key): choice(Stance, value, f"scanning.stances.{key}")
        for key, value in stances.items()
    }
    return Scanning(
        limit_octets=count(entry, "limit_octets", default.limit_octets, "scanning", least=1),
        oversize=choice(Oversize, entry.get("oversize", default.oversize), "scanning.oversize"),
        stances={**default.stances, **given},
        profile=profile(entry.get("profile", default.profile), "scanning.profile"),
    )


def read_exempt(document: Table) -> NetworkSet:
    entry = table(document, "exempt")
    only(entry, ("sources",), "exempt")
    return at("exempt.sources", _sources, entry.get("sources", []))


def _sources(value: Any) -> NetworkSet:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise RulebookError(f"{shown(value)} should be a list of networks")
    return NetworkSet.parse(value)
