"""An engine's statements as the text that the verdict cache keeps, and back.

JSON, a list of ``[class, kind, name, score]``. Reading trusts nothing: whatever this file
would not have written is NotOurs, and the engine is asked.
"""

import json
import math
from typing import Any, Final

from scanner.core.verdict import Statement
from smtpgated_contracts.values.scan import EngineClass, VerdictKind

LARGEST_TEXT: Final = 8 * 1024
"""Octets. What states more than that is not kept: names of rules have some dozens each."""


class NotOurs(ValueError):  # noqa: N818 - named for the text
    """A text that this file would not have written."""


def text_of(statements: tuple[Statement, ...]) -> bytes | None:
    """None: not to be kept, because it says nothing, or at too great a length."""
    rows = [[each.engine_class, each.kind, each.name, float(each.score)] for each in statements]
    text = json.dumps(rows, separators=(",", ":")).encode()
    return text if rows and len(text) <= LARGEST_TEXT else None


def statements_of(text: bytes, judges: frozenset[EngineClass]) -> tuple[Statement, ...]:
    """``judges``: the classes of the engine; it states something about each. Raises NotOurs."""
    if len(text) > LARGEST_TEXT:
        raise NotOurs(f"more than {LARGEST_TEXT} octets")
    try:
        rows = json.loads(text)
        statements = tuple(map(_statement, rows)) if isinstance(rows, list) else ()
    except (ValueError, RecursionError):
        raise NotOurs("no list of statements") from None
    if sorted(each.engine_class for each in statements) != sorted(judges):
        raise NotOurs("not one statement for each class")
    return statements


def _statement(row: Any) -> Statement:
    match row:
        case [str(engine_class), str(kind), str(name), float(score)] if (
            math.isfinite(score) and name.isprintable() and kind != VerdictKind.UNSCANNED
        ):
            return Statement(EngineClass(engine_class), VerdictKind(kind), name, score)
    raise ValueError("not a statement")
