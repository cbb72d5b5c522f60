"""PCRE2 patterns that no stranger's HELO can burn a core with.

Patterns see octets, are case-sensitive unless they say ``(?i)``, and match anywhere. Each runs
under PCRE2's own limits: whatever is not decided within them is *cut*, which leaves here as
``PatternCutError``, and so does whatever else PCRE2 gives up on (a stack, UTF-8 that is none).

``MATCH_LIMIT`` backtracking points are under 0.1 ms of compiled code and under 1 ms without
(measured with patterns that never end). Where memory may not be made executable, as under
systemd's MemoryDenyWriteExecute, nothing is compiled to machine code and patterns work as well.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import pcre2

from rulebook.errors import RulebookError, cut, shown

MOST_CHARACTERS: Final = 1000
MATCH_LIMIT: Final = 50_000
_DEPTH_LIMIT: Final = 10_000
_HEAP_LIMIT_KIB: Final = 4096
_LIMIT: Final = "(*LIMIT_"
_LIMITS: Final = (
    f"{_LIMIT}MATCH={MATCH_LIMIT}){_LIMIT}DEPTH={_DEPTH_LIMIT}){_LIMIT}HEAP={_HEAP_LIMIT_KIB})"
).encode()
_BRACED: Final = re.compile(r"(?<!\\)(?:\\\\)*\\x\{")


class PatternCutError(Exception):
    """Matching was given up before it was known whether the pattern is there."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Two of the same text are equal."""

    text: str
    _compiled: Any = field(compare=False, repr=False)  # Any: the binding has no types

    @classmethod
    def parse(cls, text: str) -> "Pattern":
        """Raises RulebookError for what PCRE2 does not compile."""
        if not 0 < len(text) <= MOST_CHARACTERS:
            raise RulebookError(f"{shown(text)}: should have 1 to {MOST_CHARACTERS} characters")
        return cls.compiled(text)

    @classmethod
    def compiled(cls, text: str) -> "Pattern":
        """As ``parse``, of any length."""
        if _LIMIT in text:  # the last of several would count
            raise RulebookError(f"{shown(text)}: should set no {_LIMIT}…), the limits are fixed")
        if _BRACED.search(text):  # the binding's PCRE2 would look for the letter x
            raise RulebookError(f"{shown(text)}: an octet should be written as \\xff")
        try:
            octets = _LIMITS + text.encode()
            pcre2.compile(octets, jit=False)
        except (pcre2.PatternError, pcre2.LibraryError, UnicodeEncodeError) as error:
            raise RulebookError(f"{shown(text)} is not a pattern: {_reason(error)}") from None
        return cls(text, _compiled(octets))

    @property
    def is_machine_code(self) -> bool:
        return bool(self._compiled.jit)

    def found_in(self, octets: bytes) -> bool:
        """Raises PatternCutError."""
        try:
            return self._compiled.search(octets) is not None
        except pcre2.LibraryError:
            raise PatternCutError(self.text) from None


def _compiled(octets: bytes) -> Any:
    try:
        return pcre2.compile(octets, jit=True)
    except pcre2.LibraryError:
        return pcre2.compile(octets, jit=False)


def _reason(error: Exception) -> str:
    """PCRE2's own words; its position counts our limits, too, so it is left out."""
    return cut(str(error).rpartition("; ")[2])
