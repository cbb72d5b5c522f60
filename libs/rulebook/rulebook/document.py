"""A document in TOML or JSON -> Rulebook, or a RulebookError that names the place.

The keys are explained line by line in ``defaults.DEFAULT_DOCUMENT``, and all of them in
docs/rulebook.md. Unknown keys, wrong types and two rules of one id are errors: a rulebook is
taken whole or not at all.
"""

import json
import tomllib
from typing import Any, Final

from rulebook.errors import RulebookError, cut, shown
from rulebook.places import located
from rulebook.reading.dns import read_dnsbl, read_spf
from rulebook.reading.farm import read_exempt, read_limits, read_scanning
from rulebook.reading.fields import Table, choice, only, texts
from rulebook.reading.rates import read_penalty, read_rates
from rulebook.reading.rules import read_rules
from rulebook.reading.sanctions import read_sanctions
from rulebook.values import Rulebook, TlsTreatment

SCHEMA: Final = 1
MAX_DOCUMENT_OCTETS: Final = 4 * 1024 * 1024
"""200,000 networks, or as many rules as there may be. TOML of this size is read in a second; made
to be slow, in five (measured with tables, dotted keys and lists without end)."""

_KEYS: Final = frozenset(
    {
        *("schema", "limits", "scanning", "exempt", "starttls", "rules", "rates", "penalty"),
        *("spf", "dnsbl", "sanctions"),
    }
)


def parse(text: str) -> Rulebook:
    """Raises RulebookError: the place in the document, the value, what would be right."""
    if len(text.encode("utf-8", "replace")) > MAX_DOCUMENT_OCTETS:
        raise RulebookError(f"the document is larger than {MAX_DOCUMENT_OCTETS} octets")
    document = _json(text) if text.lstrip()[:1] == "{" else _toml(text)
    try:
        return _rulebook(document)
    except RulebookError as error:
        raise located(error, text) from None


def _rulebook(document: Table) -> Rulebook:
    only(document, _KEYS, "document")
    if document.get("schema") != SCHEMA or document["schema"] is True:
        raise RulebookError(f"schema = {shown(document.get('schema'))}: should be {SCHEMA}")
    rulebook = Rulebook(
        rules=read_rules(document),
        limits=read_limits(document),
        scanning=read_scanning(document),
        exempt=read_exempt(document),
        starttls=choice(TlsTreatment, document.get("starttls", "tunnel"), "starttls"),
        rates=read_rates(document),
        penalty=read_penalty(document),
        spf=read_spf(document),
        dnsbl=read_dnsbl(document),
        sanctions=read_sanctions(document),
    )
    _names_are_used_once(document)
    _names_are_known(document, rulebook)
    return rulebook


def _toml(text: str) -> Table:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise RulebookError("not TOML: nested too deeply") from None
    except ValueError as error:  # also for a number that no int is made of
        raise RulebookError(f"not TOML: {cut(str(error))}") from None


def _json(text: str) -> Table:
    try:
        document: Table = json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise RulebookError("not JSON: nested too deeply") from None
    except ValueError as error:
        raise RulebookError(f"not JSON: {cut(str(error))}") from None
    return document


def _once(pairs: list[tuple[str, Any]]) -> Table:
    """A key given twice is an error, as it is in TOML."""
    entry: Table = {}
    for key, value in pairs:
        if key in entry:
            raise ValueError(f"key {shown(key)} is given twice in one table")
        entry[key] = value
    return entry


def _names_are_used_once(document: Table) -> None:
    """Rules and rates are told apart by their ids, in logs, locks and counts."""
    seen: set[str] = set()
    for list_name in ("rules", "rates"):
        for index, entry in enumerate(document.get(list_name, ())):
            name = entry["id"]
            if name in seen:
                raise RulebookError(
                    f"{list_name}[{index}].id = {shown(name)}: another rule or rate has this id"
                )
            seen.add(name)


def _names_are_known(document: Table, rulebook: Rulebook) -> None:
    """The zones and profiles that rules speak of are there."""
    zones = {each.zone for each in rulebook.dnsbl}
    profiles = {each.profile for each in rulebook.rates}
    for index, entry in enumerate(document.get("rules", ())):
        place = f"rules[{index}]"
        asked = entry.get("when", {}).get("dnsbl")
        for zone in texts(asked) if asked is not None else ():
            if zone not in zones:
                raise RulebookError(
                    f"{place}.when.dnsbl: {shown(zone)} is the zone of no [[dnsbl]]"
                )
        profile = entry.get("profile")
        if profile and profile not in profiles:
            raise RulebookError(f"{place}.profile = {shown(profile)}: no rate has it")
