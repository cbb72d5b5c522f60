"""The one error of this package, and how it quotes what a stranger wrote."""

from reprlib import Repr
from typing import Final

MOST_SHOWN: Final = 80
"""Characters quoted of one value: a document may have ten million."""

_SHORT: Final = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = MOST_SHOWN
_SHORT.maxlist = _SHORT.maxdict = 4
_SHORT.maxlevel = 2


class RulebookError(ValueError):
    """A document is not a rulebook; its text names the place, the value and what would be right."""


def shown(value: object) -> str:
    """``value`` as an error quotes it: its beginning and end, if it is long."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python does not spell out such a number either
        return "a number of thousands of digits"


def cut(text: str) -> str:
    """A sentence that may quote a stranger, in bounds."""
    return text if len(text) <= 2 * MOST_SHOWN else f"{text[: 2 * MOST_SHOWN]}…"
