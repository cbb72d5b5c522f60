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
from typing import Annotated, Final, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

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
        annotations = annotations_at(model, key)
        if not annotations:
            if _SERVICE_LINK.search(name):
                continue
            raise ConfigError(_unknown(name, start, model))
        _put(merged, key, _value(environ[name], annotations), name)
        origins[key] = name
    return merged, origins


def variable(prefix: str, key: Key) -> str:
    """The variable that sets a key."""
    return f"{prefix.rstrip('_')}_{'__'.join(key)}".upper()


def keys(model: type[BaseModel], above: Key = ()) -> Iterator[tuple[Key, FieldInfo]]:
    """Every key with its field, in the order of declaration; tables before what is in them.

    What lies under a table with free names (``dict``) or in a list is not listed.
    """
    for name, field in model.model_fields.items():
        yield (*above, name), field
        for table in tables_of(field.annotation):
            yield from keys(table, (*above, name))


def tables_of(annotation: object) -> tuple[type[BaseModel], ...]:
    """The models an annotation names: none for a value, several for a union of tables."""
    choices = choices_of(annotation)
    return tuple(each for each in choices if isinstance(each, type) and issubclass(each, BaseModel))


def choices_of(annotation: object) -> tuple[object, ...]:
    """What an annotation allows, ``Annotated``, ``Union`` and ``None`` taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return choices_of(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return tuple(
            choice
            for each in get_args(annotation)
            if each is not NoneType
            for choice in choices_of(each)
        )
    return (annotation,)


def annotations_at(model: type[BaseModel], key: Key) -> tuple[object, ...]:
    """What may stand at a key; empty when there is no such key."""
    here: tuple[object, ...] = (model,)
    for part in key:
        here = tuple(below for each in here for below in _below(each, part))
    return here


def _below(annotation: object, part: str) -> Iterator[object]:
    for choice in choices_of(annotation):
        kind = get_origin(choice) or choice
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if part in kind.model_fields:
                yield kind.model_fields[part].annotation
        elif kind is dict:
            yield get_args(choice)[1]
        elif kind in (list, tuple) and part.isdecimal():
            yield get_args(choice)[0]


def _value(text: str, annotations: tuple[object, ...]) -> object:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    value = parsed.pop("value")
    if parsed:  # a line end in the variable, and more keys behind it: not one value
        return text
    choices = (choice for each in annotations for choice in choices_of(each))
    is_text = any(choice in (str, Path) for choice in choices)
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
    known = sorted(
        {variable(start, key) for key, field in keys(model) if not tables_of(field.annotation)}
    )
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    cure = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return f"{name}: no setting has this name; {cure}"
