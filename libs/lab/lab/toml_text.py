"""Tables as TOML: what the lab tells the services it starts."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

Value = str | int | float | bool | Path | tuple["Value", ...] | Mapping[str, "Value"]
Table = Mapping[str, "Value | Table"]


def toml_text(table: Table) -> str:
    """The whole document. Tables become ``[sections]``."""
    return "\n".join(_lines(table, ())) + "\n"


def merged(below: Table, above: Table) -> Table:
    """``below`` with every key of ``above`` laid over it, table by table."""
    both = dict(below)
    for key, value in above.items():
        under = both.get(key)
        both[key] = (
            merged(under, value)
            if isinstance(under, Mapping) and isinstance(value, Mapping)
            else value
        )
    return both


def _lines(table: Table, path: tuple[str, ...]) -> Iterator[str]:
    for key, value in table.items():
        if not isinstance(value, Mapping):
            yield f"{key} = {_text(value)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield f"\n[{'.'.join((*path, key))}]"
            yield from _lines(value, (*path, key))


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_text(each) for each in value)}]"
    # A JSON string is a TOML basic string; numbers and truth are spelled alike.
    return json.dumps(str(value) if isinstance(value, Path) else value)
