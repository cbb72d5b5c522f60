"""What this replica remembers. Bounded: beyond ``most`` entries the least used one goes.

Times are seconds of any clock that only goes forward. No errors.
"""

from collections import OrderedDict
from typing import Final

from scanner.core.verdict import Statement


class Memory:
    """One entry takes some hundred octets; never more than ``cached_statements`` lets through."""

    __slots__ = ("_entries", "_most")

    def __init__(self, most: int) -> None:
        self._most: Final = most
        self._entries: OrderedDict[str, tuple[tuple[Statement, ...], float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str, now_s: float) -> tuple[Statement, ...] | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        statements, expires_s = entry
        if now_s >= expires_s:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return statements

    def put(self, key: str, statements: tuple[Statement, ...], expires_s: float) -> None:
        self._entries[key] = statements, expires_s
        self._entries.move_to_end(key)
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)
