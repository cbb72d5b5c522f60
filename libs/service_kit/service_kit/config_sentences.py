"""What pydantic found wrong, as sentences for the person who wrote the file.

    scanner.toml: [limits] concurrent_scans = -1: must be greater than 0
    SCANNER_LISTEN = "scanner": must be host:port (…)

The values of keys that hold secrets are never shown, nor what a validator said about them.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from service_kit.config_environment import Key, annotations_at, tables_of, variable
from service_kit.escaping import text_for_log

_SECRET: Final = re.compile(r"(?:^|_)(?:secret|token|password|passphrase)s?\Z")
_CREDENTIALS_IN_URL: Final = re.compile(r"(?<=://)[^/@\s]*(?=@)")
_LONGEST_VALUE: Final = 80
_ABSENT: Final = object()

# pydantic's kinds of error whose own words speak of Python.
_WANTED: Final[Mapping[str, str]] = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list in brackets",
    "tuple_type": "must be a list in brackets",
    "set_type": "must be a list in brackets",
    "frozen_set_type": "must be a list in brackets",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
}


def is_secret(name: str) -> bool:
    """Whether the value of a key of this name must not be shown."""
    return _SECRET.search(name) is not None


def without_credentials(text: str) -> str:
    """``redis://user:password@host`` without what stands before the @."""
    return _CREDENTIALS_IN_URL.sub("…", text)


def sentences(
    invalid: ValidationError,
    model: type[BaseModel],
    document: Mapping[str, object],
    source: str,
    origins: Mapping[Key, str],
    prefix: str,
) -> Iterator[str]:
    """One sentence a mistake; ``origins`` says which keys a variable of the environment set."""
    seen: set[str] = set()
    for error in invalid.errors(include_url=False):
        key = _key(error["loc"], document, missing=error["type"] == "missing")
        subject = _subject(key, source, origins, is_table=_is_table(model, key))
        shown = _shown(_at(document, key), hidden=any(map(is_secret, key)))
        text = f"{subject}{shown}: {_cure(error, key, model, prefix)}"
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


def _is_table(model: type[BaseModel], key: Key) -> bool:
    return any(tables_of(each) for each in annotations_at(model, key))


def _subject(key: Key, source: str, origins: Mapping[Key, str], *, is_table: bool) -> str:
    for length in range(len(key), 0, -1):
        if key[:length] in origins:
            return ".".join((origins[key[:length]], *key[length:]))
    if not key:
        return source
    if is_table:
        return text_for_log(f"{source}: [{'.'.join(key)}]", limit=512)
    table = f"[{'.'.join(key[:-1])}] " if len(key) > 1 else ""
    return text_for_log(f"{source}: {table}{key[-1]}", limit=512)


def _shown(value: object, *, hidden: bool) -> str:
    if hidden or value is _ABSENT or isinstance(value, Mapping):
        return ""
    text = without_credentials(json.dumps(value, default=str, ensure_ascii=True))
    return f" = {text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + '…'}"


def _cure(error: ErrorDetails, key: Key, model: type[BaseModel], prefix: str) -> str:
    kind, said = error["type"], str(error["msg"])
    if kind == "missing":
        if _is_table(model, key) or any(map(str.isdecimal, key)):
            return "must be given"
        return f"must be given (or {variable(prefix, key)} be set)"
    if kind == "extra_forbidden":
        return _unknown(key, model)
    if kind in ("value_error", "assertion_error"):  # a validator's own words: may quote it
        return "is not acceptable" if any(map(is_secret, key)) else str(error["ctx"]["error"])
    return _WANTED.get(kind, said.replace("Input should", "must", 1))


def _unknown(key: Key, model: type[BaseModel]) -> str:
    above = annotations_at(model, key[:-1])
    known = sorted(
        {name for each in above for table in tables_of(each) for name in table.model_fields}
    )
    close = difflib.get_close_matches(key[-1], known, n=1, cutoff=0.5)
    if close:
        return f"no such key; did you mean {close[0]}?"
    return f"no such key; known here are {', '.join(known)}" if known else "no such key"
