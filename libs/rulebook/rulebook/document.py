"""A TOML document -> Rulebook, or a RulebookError that names the place.

The keys are explained line by line in ``defaults.DEFAULT_DOCUMENT``. Unknown keys, wrong types
and rules that share an id are errors: a rulebook is taken whole or not at all.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import fields
from enum import StrEnum
from typing import Any, Final, TypeVar

from rulebook.conditions import CONDITIONS
from rulebook.errors import RulebookError, cut, shown
from rulebook.networks import NetworkSet
from rulebook.permitted import ACTIONS, OF_CONTENT
from rulebook.values import (
    Action,
    Limits,
    Mode,
    Oversize,
    Phase,
    Rule,
    Rulebook,
    Scanning,
    Stance,
    TlsTreatment,
)
from smtpgated_contracts.values.scan import EngineClass

SCHEMA: Final = 1
MAX_DOCUMENT_OCTETS: Final = 10 * 1024 * 1024
MAX_COUNT: Final = 10**12
"""Above any sense; seconds, octets or sessions of this size still fit 64 bits as milliseconds."""
MAX_REPLY_CHARACTERS: Final = 400
"""RFC 5321 §4.5.3.1.5 allows 512 octets a reply line; code, status and CRLF need their part."""

_NAME: Final = re.compile(r"(?:[a-z0-9][a-z0-9-]{0,62})?")
_Choice = TypeVar("_Choice", bound=StrEnum)
_Table = dict[str, Any]


def parse(text: str) -> Rulebook:
    """Raises RulebookError: the place in the document, the value, what would be right."""
    if len(text.encode()) > MAX_DOCUMENT_OCTETS:
        raise RulebookError(f"the document is larger than {MAX_DOCUMENT_OCTETS} octets")
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise RulebookError("not TOML: nested too deeply") from None
    except ValueError as error:  # also for a number that no int is made of
        raise RulebookError(f"not TOML: {cut(str(error))}") from None
    _only(document, {"schema", "limits", "scanning", "exempt", "starttls", "rules"}, "document")
    if document.get("schema") != SCHEMA:
        raise RulebookError(f"schema = {shown(document.get('schema'))}: should be {SCHEMA}")
    return Rulebook(
        rules=_rules(document.get("rules", [])),
        limits=_limits(_table(document, "limits")),
        scanning=_scanning(_table(document, "scanning")),
        exempt=_at("exempt", _exempt, _table(document, "exempt")),
        starttls=_choice(TlsTreatment, document.get("starttls", "tunnel"), "starttls"),
    )


def _rules(entries: Any) -> dict[Phase, tuple[Rule, ...]]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RulebookError("rules: should be written as [[rules]] tables")
    rules = [_rule(entry, f"rules[{index}]") for index, entry in enumerate(entries)]
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.id in seen:
            raise RulebookError(f"rules[{index}].id = {shown(rule.id)}: another rule has this id")
        seen.add(rule.id)
    return {
        phase: tuple(rule for rule in rules if rule.phase is phase)
        for phase in Phase
        if any(rule.phase is phase for rule in rules)
    }


def _rule(entry: _Table, place: str) -> Rule:
    _only(entry, {"id", "phase", "when", "action", "mode", "reply", "lock_s"}, place)
    name = entry.get("id")
    if not isinstance(name, str) or not name or len(name) > 64 or not name.isprintable():  # noqa: PLR2004 - a name, not a story
        raise RulebookError(
            f"{place}.id = {shown(name)}: should be a printable name of 1 to 64 characters"
        )
    reply = entry.get("reply", "")
    if not isinstance(reply, str) or not reply.isprintable() or not reply.isascii():
        raise RulebookError(
            f"{place}.reply = {shown(reply)}: should be one line of printable ASCII"
        )
    if len(reply) > MAX_REPLY_CHARACTERS:
        raise RulebookError(f"{place}.reply: should have at most {MAX_REPLY_CHARACTERS} characters")
    phase = _choice(Phase, entry.get("phase"), f"{place}.phase")
    action = _choice(Action, entry.get("action"), f"{place}.action")
    if action not in ACTIONS[phase]:
        possible = ", ".join(sorted(ACTIONS[phase]))
        raise RulebookError(
            f"{place}.action = '{action}': too late in phase {phase}; possible: {possible}"
        )
    when = _table(entry, "when", place)
    known = set(CONDITIONS) if phase is Phase.CONTENT else set(CONDITIONS) - OF_CONTENT
    _only(when, known, f"{place}.when")
    return Rule(
        id=name,
        phase=phase,
        action=action,
        conditions=tuple(_at(f"{place}.when.{key}", CONDITIONS[key], when[key]) for key in when),
        mode=_choice(Mode, entry.get("mode", "enforce"), f"{place}.mode"),
        reply=reply,
        lock_s=_count(entry, "lock_s", 0, place),
    )


def _limits(entry: _Table) -> Limits:
    names = [each.name for each in fields(Limits)]
    _only(entry, set(names), "limits")
    return Limits(**{name: _count(entry, name, 0, "limits") for name in names})


def _scanning(entry: _Table) -> Scanning:
    default = Scanning()
    _only(entry, {"limit_octets", "oversize", "stances", "profile"}, "scanning")
    stances = _table(entry, "stances", "scanning")
    _only(stances, set(EngineClass), "scanning.stances")
    given = {
        EngineClass(key): _choice(Stance, value, f"scanning.stances.{key}")
        for key, value in stances.items()
    }
    limit = _count(entry, "limit_octets", default.limit_octets, "scanning")
    if limit == 0:
        raise RulebookError("scanning.limit_octets = 0: should be at least 1")
    return Scanning(
        limit_octets=limit,
        oversize=_choice(Oversize, entry.get("oversize", default.oversize), "scanning.oversize"),
        stances={**default.stances, **given},
        profile=_name(entry.get("profile", default.profile), "scanning.profile"),
    )


def _exempt(entry: Any) -> NetworkSet:
    _only(entry, {"sources"}, "exempt")
    sources = entry.get("sources", [])
    if not isinstance(sources, list) or not all(isinstance(each, str) for each in sources):
        raise RulebookError(f"{shown(sources)} should be a list of networks")
    return NetworkSet.parse(sources)


_T = TypeVar("_T")


def _at(place: str, read: Callable[[Any], _T], value: Any) -> _T:
    try:
        return read(value)
    except RulebookError as error:
        raise RulebookError(f"{place}: {error}") from None


def _choice(choices: type[_Choice], value: Any, place: str) -> _Choice:
    try:
        return choices(value)
    except ValueError:
        raise RulebookError(
            f"{place} = {shown(value)}: should be one of {', '.join(choices)}"
        ) from None


def _name(value: Any, place: str) -> str:
    """A scan profile's: empty, or as the scanners' configuration spells names."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise RulebookError(f"{place} = {shown(value)}: should be a name, as in strict-1")
    return value


def _count(entry: _Table, key: str, default: int, place: str) -> int:
    value = entry.get(key, default)
    if type(value) is not int or not 0 <= value <= MAX_COUNT:
        raise RulebookError(
            f"{place}.{key} = {shown(value)}: should be a whole number from 0 to {MAX_COUNT}"
        )
    return value


def _table(entry: _Table, key: str, place: str = "document") -> _Table:
    value = entry.get(key, {})
    if not isinstance(value, dict):
        raise RulebookError(f"{place}.{key} = {shown(value)}: should be a table")
    return value


def _only(entry: _Table, known: set[str], place: str) -> None:
    for key in entry:
        if key not in known:
            raise RulebookError(
                f"{place}.{cut(key)}: no such key; known: {', '.join(sorted(known))}"
            )
