"""Many patterns looked for at once, to learn that none of them is there.

Hundreds of rules with a pattern each would try each pattern in turn; compiled into one
alternation they cost what a few cost. Only patterns that mean the same inside of an alternation
are bundled: no references to groups, no verbs, no options but those that end with their group.
Without PCRE2's compiler to machine code an alternation is slower than its parts, and nothing is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rulebook.errors import RulebookError
from rulebook.patterns import Pattern, PatternCutError

MOST_BUNDLED: Final = 250
"""Patterns in one alternation; it must stay below PCRE2's 64 KiB of code."""
LONGEST_BUNDLED: Final = 100
"""Characters of one such pattern."""

_PLAIN: Final = re.compile(
    r"""(?: [^\\(]                              # any character, a class's as well
          | \\ [^A-Za-z0-9]                     # an escaped sign
          | \\ [dDwWsSbBAzZhHvVtrnfe]           # a kind of character, a boundary, a control
          | \( (?: \?(?::|=|!|<=|<!|i\)|i:) | (?![?*]) )
        )+""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Patterns as one; see ``bundled``."""

    _alternation: Pattern

    def may_be_found_in(self, octets: bytes) -> bool:
        """False: none of the patterns is there. True: one may be, or nobody knows."""
        try:
            return self._alternation.found_in(octets)
        except PatternCutError:
            return True


def can_be_bundled(pattern: Pattern) -> bool:
    return (
        pattern.is_machine_code
        and len(pattern.text) <= LONGEST_BUNDLED
        and _PLAIN.fullmatch(pattern.text) is not None
    )


def bundled(patterns: Sequence[Pattern]) -> Bundle | None:
    """None: PCRE2 does not take them together."""
    text = "|".join(f"(?:{each.text})" for each in patterns)
    try:
        return Bundle(Pattern.compiled(text))
    except RulebookError:
        return None
