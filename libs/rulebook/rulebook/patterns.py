"""PCRE2 patterns that no stranger's HELO can burn a core with.

Patterns see octets, are case-sensitive unless they say ``(?i)``, and match anywhere. Each runs
under PCRE2's own limits: whatever is not decided within them is *cut*, which leaves here as
``PatternCutError``. A pattern may ask for lower limits than these, never for higher ones
(pcre2pattern, "Setting match resource limits").
"""

from dataclasses import dataclass, field
from typing import Any, Final

import pcre2

from rulebook.errors import RulebookError, cut, shown

MOST_CHARACTERS: Final = 1000
MATCH_LIMIT: Final = 10_000
_LIMITS: Final = f"(*LIMIT_MATCH={MATCH_LIMIT})(*LIMIT_DEPTH=1000)(*LIMIT_HEAP=1000)".encode()


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
        if not text or len(text) > MOST_CHARACTERS:
            raise RulebookError(f"{shown(text)}: should have 1 to {MOST_CHARACTERS} characters")
        try:
            return cls(text, pcre2.compile(_LIMITS + text.encode()))
        except (pcre2.PatternError, pcre2.LibraryError, UnicodeEncodeError) as error:
            raise RulebookError(f"{shown(text)} is not a pattern: {cut(str(error))}") from None

    def found_in(self, octets: bytes) -> bool:
        """Raises PatternCutError."""
        try:
            return self._compiled.search(octets) is not None
        except pcre2.LibraryError:
            raise PatternCutError(self.text) from None
