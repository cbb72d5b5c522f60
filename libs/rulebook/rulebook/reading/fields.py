"""Single values of a document: each reader returns the value, or raises RulebookError with the
place, what is there and what would be right."""

import re
from collections.abc import Callable, Collection
from enum import StrEnum
from math import isfinite
from typing import Any, Final, TypeVar

from rulebook.errors import RulebookError, cut, shown

Table = dict[str, Any]
"""As TOML and JSON give it."""

MAX_COUNT: Final = 10**12
"""Above any sense; seconds, octets or sessions of this size still fit 64 bits as milliseconds."""
MAX_REPLY_CHARACTERS: Final = 400
"""RFC 5321 §4.5.3.1.5 allows 512 octets a reply line; code, status and CRLF need their part."""
MAX_NAME_CHARACTERS: Final = 64

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_Choice = TypeVar("_Choice", bound=StrEnum)
_T = TypeVar("_T")


def only(entry: Table, known: Collection[str], place: str) -> None:
    """No key but the known ones."""
    for key in entry:
        if key not in known:
            raise RulebookError(
                f"{place}.{cut(key)}: no such key; known: {', '.join(sorted(known))}"
            )


def at(place: str, read: Callable[[Any], _T], value: Any) -> _T:
    """What ``read`` makes of the value; its error begins with the place."""
    try:
        return read(value)
    except RulebookError as error:
        raise RulebookError(f"{place}: {error}") from None


def table(entry: Table, key: str, place: str = "document") -> Table:
    value = entry.get(key, {})
    if not isinstance(value, dict):
        raise RulebookError(f"{place}.{key} = {shown(value)}: should be a table")
    return value


def tables(entry: Table, key: str, most: int) -> list[Table]:
    """A list of tables, as ``[[rules]]``; at most so many."""
    entries = entry.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise RulebookError(f"{key}: should be written as [[{key}]] tables")
    if len(entries) > most:
        raise RulebookError(f"{key}: should be at most {most}, and are {len(entries)}")
    return entries


def choice(choices: type[_Choice], value: Any, place: str) -> _Choice:
    try:
        return choices(value)
    except ValueError:
        raise RulebookError(
            f"{place} = {shown(value)}: should be one of {', '.join(choices)}"
        ) from None


def count(entry: Table, key: str, default: int, place: str, *, least: int = 0) -> int:
    value = entry.get(key, default)
    if type(value) is not int or not least <= value <= MAX_COUNT:
        raise RulebookError(
            f"{place}.{key} = {shown(value)}: should be a whole number from {least} to {MAX_COUNT}"
        )
    return value


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RulebookError(f"{shown(value)} should be a number")
    if isinstance(value, float) and not isfinite(value):
        raise RulebookError(f"{shown(value)} should be a number that others can be compared with")
    return value


def points(entry: Table, key: str, default: float, place: str, *, above: float = -1.0) -> float:
    """A number from 0, or ``above`` another, to MAX_COUNT."""
    value = at(f"{place}.{key}", number, entry.get(key, default))
    if not 0 <= value <= MAX_COUNT or value <= above:
        raise RulebookError(
            f"{place}.{key} = {shown(value)}: should be a number from 0 to {MAX_COUNT}"
            f"{f', more than {above:g}' if above >= 0 else ''}"
        )
    return float(value)


def yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise RulebookError(f"{shown(value)} should be true or false")
    return value


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return value
    raise RulebookError(f"{shown(value)} should be a text or a list of texts")


def identifier(entry: Table, place: str) -> str:
    """The ``id`` by which a rule or rate is known in logs and counts."""
    value = entry.get("id")
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= MAX_NAME_CHARACTERS
        or not value.isprintable()
    ):
        raise RulebookError(
            f"{place}.id = {shown(value)}: should be a printable name of 1 to "
            f"{MAX_NAME_CHARACTERS} characters"
        )
    return value


def reply(entry: Table, place: str) -> str:
    value = entry.get("reply", "")
    if not isinstance(value, str) or not value.isprintable() or not value.isascii():
        raise RulebookError(
            f"{place}.reply = {shown(value)}: should be one line of printable ASCII"
        )
    if len(value) > MAX_REPLY_CHARACTERS:
        raise RulebookError(f"{place}.reply: should have at most {MAX_REPLY_CHARACTERS} characters")
    return value


def profile(value: Any, place: str) -> str:
    """Empty, or a name as the scanners' configuration spells them."""
    if not isinstance(value, str) or (value and not _NAME.fullmatch(value)):
        raise RulebookError(f"{place} = {shown(value)}: should be a name, as in strict-1")
    return value
