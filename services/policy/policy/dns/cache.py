"""What names said, kept until it may not be believed any more, within a bound of memory.

Beyond the bound the entry that was asked for longest ago goes first. Failures are kept too, for
``FAILURE_S``: a server that is broken for one name is not asked again with every message
(RFC 9520 §3). Times are the caller's clock, seconds.
"""

from collections import OrderedDict
from typing import Final

from policy.dns.records import Answer, Lookup
from service_kit.failures import Unavailable

FAILURE_S: Final = 5.0
_ENTRY_OCTETS: Final = 700
"""Of an entry without its texts, about (measured: CPython 3.11)."""
_VALUE_OCTETS: Final = 100

Outcome = Answer | Unavailable
"""What came of a lookup."""


class AnswerCache:
    """At most ``octets``, about."""

    __slots__ = ("_entries", "_left", "_octets")

    def __init__(self, octets: int) -> None:
        self._octets = octets
        self._left = octets
        self._entries: OrderedDict[Lookup, tuple[float, int, Outcome]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, lookup: Lookup, now: float) -> Outcome | None:
        """None: not known, or not any more."""
        entry = self._entries.get(lookup)
        if entry is None:
            return None
        expiry, _, outcome = entry
        if now >= expiry:
            self._forget(lookup)
            return None
        self._entries.move_to_end(lookup)
        return outcome

    def put(self, lookup: Lookup, outcome: Outcome, now: float) -> None:
        keeps_s = outcome.keeps_s if isinstance(outcome, Answer) else FAILURE_S
        size = _octets(lookup, outcome)
        self._forget(lookup)
        if size > self._octets:
            return
        self._entries[lookup] = (now + keeps_s, size, outcome)
        self._left -= size
        while self._left < 0:
            self._forget(next(iter(self._entries)))

    def _forget(self, lookup: Lookup) -> None:
        entry = self._entries.pop(lookup, None)
        if entry is not None:
            self._left += entry[1]


def _octets(lookup: Lookup, outcome: Outcome) -> int:
    octets = _ENTRY_OCTETS + len(lookup.name)
    if isinstance(outcome, Answer):
        octets += sum(
            _VALUE_OCTETS + len(value[1] if isinstance(value, tuple) else value)
            for value in outcome.values
        )
    return octets
