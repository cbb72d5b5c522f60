"""What the translation writes into: our files as tables, and an account of every directive."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from edge_proxy.legacy.directives import DIRECTIVES
from edge_proxy.legacy.kinds import Value
from edge_proxy.legacy.syntax import Directive, LegacyError

Table = dict[str, Any]  # Any: TOML's own values


class File(StrEnum):
    EDGE = "edge-proxy.toml"
    SCANNER = "scanner.toml"
    POLICY = "policy.toml"
    RULEBOOK = "rulebook.toml"


class Old:
    """The values in force. A value of another type than asked for is a bug of the table's."""

    def __init__(self, directives: Iterable[Directive]) -> None:
        """Raises LegacyError with every problem of the file."""
        self._values: dict[str, Value] = {name: known.default for name, known in DIRECTIVES.items()}
        self.given: dict[str, Directive] = {}
        problems = []
        for each in directives:
            try:
                self._values[each.name] = _value(each)
            except ValueError as wrong:
                problems.append(f"line {each.line}: {_shown(each)}: {wrong}")
            self.given[each.name] = each
        if problems:
            raise LegacyError(problems)

    def text(self, name: str) -> str:
        value = self._values[name]
        assert isinstance(value, str), name
        return value

    def number(self, name: str) -> int:
        value = self._values[name]
        assert isinstance(value, int), name
        return value

    def real(self, name: str) -> float:
        value = self._values[name]
        assert isinstance(value, float), name
        return value

    def yes(self, name: str) -> bool:
        value = self._values[name]
        assert isinstance(value, bool), name
        return value

    def words(self, name: str) -> frozenset[str]:
        value = self._values[name]
        assert isinstance(value, frozenset), name
        return value

    def is_default(self, name: str) -> bool:
        return self._values[name] == DIRECTIVES[name].default


@dataclass(slots=True)
class Draft:
    """``became``: what became of a directive, ``lacking``: what the farm will not do for it."""

    files: dict[File, Table] = field(default_factory=lambda: {each: {} for each in File})
    became: dict[str, list[str]] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)

    def put(self, file: File, place: str, value: object, *of: str) -> None:
        """Set ``section.key``; ``of`` are the directives it comes from."""
        *sections, key = place.split(".")
        table = self.files[file]
        for section in sections:
            table = table.setdefault(section, {})
        table[key] = value
        for name in of:
            self.say(name, f"{file}: {place}")

    def rule(self, rule: Mapping[str, object], *of: str) -> None:
        self.files[File.RULEBOOK].setdefault("rules", []).append(dict(rule))
        for name in of:
            self.say(name, f"{File.RULEBOOK}: rule {rule['id']}")

    def say(self, name: str, what: str) -> None:
        said = self.became.setdefault(name, [])
        if what not in said:
            said.append(what)


def _value(directive: Directive) -> Value:
    known = DIRECTIVES.get(directive.name)
    if known is None:
        raise ValueError("no such directive")
    if directive.value:
        return known.read(directive.value)
    if known.empty:
        return ""
    raise ValueError("the value is missing")


def _shown(directive: Directive) -> str:
    text = f"{directive.name} {directive.value}"[:80]
    return "".join(each if each.isprintable() else "#" for each in text)
