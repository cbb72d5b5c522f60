"""Which variable of the environment sets which key: ``PREFIX_SECTION__KEY``.

A value is read as TOML (``8``, ``true``, ``["a", "b"]``) where it parses, as plain text
otherwise, and always as plain text for a key that holds text. A variable with the prefix that
names no key is a ConfigError that says which one may have been meant.
"""

import copy
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from service_kit.errors import ConfigError

Key: TypeAlias = tuple[str, ...]

# Kubernetes gives every container such variables for every Service of its namespace, also for
# one called like us: not the operator's words, so not his mistakes.
_SERVICE_LINK: Final = re.compile(
    r"_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)\Z"
)


def overlay(
    model: type[BaseModel],
    document: Mapping[str, object],
    environ: Mapping[str, str],
    prefix: str,
) -> tuple[dict[str, object], dict[Key, str]]:
    """The document with the variables laid over it, and which variable set which key."""
    merged = copy.deepcopy(dict(document))
    origins: dict[Key, str] = {}
    start = f"{prefix.rstrip('_')}_".upper()
    for name in sorted(environ):
        if not name.startswith(start):
            continue
        key = tuple(part.lower() for part in name[len(start) :].split("__"))
        try:
            annotation = _annotation_at(model, key)
        except KeyError:
            if _SERVICE_LINK.search(name):
                continue
            raise ConfigError(_unknown(name, start, model)) from None
        _put(merged, key, _value(environ[name], annotation), name)
        origins[key] = name
    return merged, origins


def variable(prefix: str, key: Key) -> str:
    """The variable that sets a key."""
    return f"{prefix.rstrip('_')}_{'__'.join(key)}".upper()


def keys(model: type[BaseModel], above: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Every key with its annotation, tables before what is in them.

    What lies under a table with free names (``dict``) or in a list is not listed.
    """
    for name, field in model.model_fields.items():
        yield (*above, name), field.annotation
        table = table_of(field.annotation)
        if table is not None:
            yield from keys(table, (*above, name))


def table_of(annotation: object) -> type[BaseModel] | None:
    """The model behind an annotation, ``| None`` aside."""
    for choice in _choices(annotation):
        if isinstance(choice, type) and issubclass(choice, BaseModel):
            return choice
    return None


def _annotation_at(model: type[BaseModel], key: Key) -> object:
    """KeyError: no such key."""
    here: object = model
    for part in key:
        table = table_of(here)
        if table is not None:
            here = table.model_fields[part].annotation
            continue
        free = next((each for each in _choices(here) if get_origin(each) is dict), None)
        if free is None:
            raise KeyError(part)
        here = get_args(free)[1]
    return here


def _choices(annotation: object) -> tuple[object, ...]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _choices(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return tuple(
            choice
            for each in get_args(annotation)
            if each is not NoneType
            for choice in _choices(each)
        )
    return (annotation,)


def _value(text: str, annotation: object) -> object:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    value = parsed.pop("value")
    if parsed:  # a line end in the variable, and more keys behind it: not one value
        return text
    is_text = any(choice in (str, Path) for choice in _choices(annotation))
    return text if is_text and not isinstance(value, str) else value


def _put(merged: dict[str, object], key: Key, value: object, name: str) -> None:
    here = merged
    for part in key[:-1]:
        below = here.setdefault(part, {})
        if not isinstance(below, dict):
            raise ConfigError(f"{name}: '{part}' holds a value already and cannot be a table too")
        here = below
    here[key[-1]] = value


def _unknown(name: str, start: str, model: type[BaseModel]) -> str:
    known = [variable(start, key) for key, annotation in keys(model) if not table_of(annotation)]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    cure = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(known))}"
    return f"{name}: no setting has this name; {cure}"
