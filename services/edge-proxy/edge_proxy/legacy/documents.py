"""The draft as files, and the account of what became of every directive."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from edge_proxy.legacy.draft import Draft, File, Old, Table
from edge_proxy.legacy.syntax import Directive

_HEADS: Final[Mapping[File, str]] = {
    File.EDGE: "Try: edge-proxy check-config -c edge-proxy.toml",
    File.SCANNER: "Try: scanner check-config -c scanner.toml",
    File.POLICY: "Try: policy check-config -c policy.toml",
    File.RULEBOOK: "Policy begins with it; later it is changed by REST.",
}
_WIDTH: Final = 76


def documents(draft: Draft) -> dict[File, str]:
    """Every file that is needed, as text."""
    return {
        file: f"# From smtp-gated.conf by import-legacy. {_HEADS[file]}\n{toml(table)}"
        for file, table in draft.files.items()
        if table
    }


def toml(table: Table) -> str:
    return "\n".join(_lines(table, ())) + "\n"


def report(old: Old, draft: Draft, to_put_right: list[str]) -> str:
    """For a person: what became of what, what is missing, what has to be put right."""
    lines = ["What became of the directives", ""]
    for name, directive in old.given.items():
        lines += _account(directive, [*draft.became.get(name, []), *_lack(draft, name)])
    carried = [name for name in draft.became if name not in old.given]
    missing = [name for name in draft.lacking if name not in old.given]
    if carried or missing:
        lines += ["", "What the old program did by default", ""]
        for name in (*carried, *missing):
            default = Directive(0, name, "(default)")
            lines += _account(default, [*draft.became.get(name, []), *_lack(draft, name)])
    if to_put_right:
        lines += ["", "To be put right before the services start", "", *to_put_right]
    return "\n".join(lines) + "\n"


def _lack(draft: Draft, name: str) -> list[str]:
    return [f"NOT CARRIED OVER: {draft.lacking[name]}"] if name in draft.lacking else []


def _account(directive: Directive, said: list[str]) -> Iterator[str]:
    shown = f"{directive.name} {directive.value}"
    where = f"line {directive.line}: " if directive.line else ""
    text = "".join(each if each.isprintable() else "#" for each in f"{where}{shown}")
    yield text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"
    yield from (f"    {each}" for each in said)


def _lines(table: Table, above: tuple[str, ...]) -> Iterator[str]:
    """Plain keys first, then the tables, then the lists of tables: as TOML wants them."""
    below: list[tuple[str, Table]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            below.append((key, value))
        elif not _tables(value):
            yield f"{key} = {_value(value)}"
    for key, each in below:
        place = (*above, key)
        if any(not isinstance(value, dict) for value in each.values()):
            yield f"\n[{'.'.join(place)}]"
        yield from _lines(each, place)
    for key, value in table.items():
        if _tables(value):
            for each in value:
                yield f"\n[[{'.'.join((*above, key))}]]"
                yield from (f"{name} = {_value(part)}" for name, part in each.items())


def _tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _value(value: object) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # JSON's strings are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
