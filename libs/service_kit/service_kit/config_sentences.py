"""What pydantic found wrong, as sentences for the person who wrote the file.

    scanner.toml: [limits] concurrent_scans = -1: must be greater than 0
    SCANNER_LISTEN = "scanner": must be host:port (…)

The values of keys that hold secrets are never shown, nor what a validator said about them.
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from service_kit.config_environment import Key, table_of
from service_kit.escaping import text_for_log

_SECRET_ENDINGS: Final = ("_secret", "_token", "password")
_SECRET_NAMES: Final = frozenset({"secret", "token"})
_LONGEST_VALUE: Final = 80
_ABSENT: Final = object()


def is_secret(name: str) -> bool:
    """Whether the value of a key of this name must not be shown."""
    return name in _SECRET_NAMES or name.endswith(_SECRET_ENDINGS)


def sentences(
    invalid: ValidationError,
    model: type[BaseModel],
    document: Mapping[str, object],
    source: str,
    origins: Mapping[Key, str],
) -> Iterator[str]:
    """One sentence a mistake; ``origins`` says which keys a variable of the environment set."""
    seen: set[str] = set()
    for error in invalid.errors(include_url=False):
        key = _key(error["loc"], document, missing=error["type"] == "missing")
        subject = _subject(key, source, origins)
        hidden = any(map(is_secret, key))
        text = f"{subject}{_shown(_at(document, key), hidden=hidden)}: {_cure(error, key, model)}"
        if hidden and error["type"] != "missing":
            text = f"{subject}: is not acceptable (the value is not shown)"
        if text not in seen:  # a union says the same once for each of its members
            seen.add(text)
            yield text


def _key(loc: Sequence[int | str], document: object, *, missing: bool) -> Key:
    """Where in the document: pydantic also names members of unions, which are no keys."""
    key: list[str] = []
    here = document
    for number, part in enumerate(loc):
        below = _below(here, part)
        if below is not _ABSENT:
            here = below
        elif not (missing and number == len(loc) - 1):
            continue
        key.append(str(part))
    return tuple(key)


def _at(document: object, key: Key) -> object:
    here = document
    for part in key:
        here = _below(here, part)
    return here


def _below(here: object, part: int | str) -> object:
    if isinstance(here, Mapping):
        return here.get(part, _ABSENT)
    if isinstance(here, list) and str(part).isdecimal() and int(part) < len(here):
        return here[int(part)]
    return _ABSENT


def _subject(key: Key, source: str, origins: Mapping[Key, str]) -> str:
    for length in range(len(key), 0, -1):
        if key[:length] in origins:
            return ".".join((origins[key[:length]], *key[length:]))
    if not key:
        return source
    table = f"[{'.'.join(key[:-1])}] " if len(key) > 1 else ""
    return text_for_log(f"{source}: {table}{key[-1]}", limit=512)


def _shown(value: object, *, hidden: bool) -> str:
    if hidden or value is _ABSENT or isinstance(value, Mapping):
        return ""
    text = json.dumps(value, default=str, ensure_ascii=True)
    return f" = {text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + '…'}"


def _cure(error: Any, key: Key, model: type[BaseModel]) -> str:  # pydantic's ErrorDetails
    kind, said = error["type"], str(error["msg"])
    if kind == "missing":
        return "must be given"
    if kind == "extra_forbidden":
        return _unknown(key, model)
    if kind in ("value_error", "assertion_error"):
        return str(error["ctx"]["error"])
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return "must be a table"
    return said.replace("Input should", "must", 1)


def _unknown(key: Key, model: type[BaseModel]) -> str:
    table: type[BaseModel] | None = model
    for part in key[:-1]:
        field = table.model_fields.get(part) if table is not None else None
        table = table_of(field.annotation) if field is not None else None
    known = sorted(table.model_fields) if table is not None else []
    close = difflib.get_close_matches(key[-1], known, n=1)
    if close:
        return f"no such key; did you mean {close[0]}?"
    return f"no such key; known here are {', '.join(known)}" if known else "no such key"
