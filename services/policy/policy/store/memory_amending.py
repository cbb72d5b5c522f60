"""What people change, in the memory twin: the same fates, tags and audit as by the scripts."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final

from policy.core.amending import (
    ANY,
    MOST_ENTRIES,
    NONE,
    Amended,
    Amendment,
    Fate,
    RulebookVersion,
    version_tag,
)
from policy.core.audit import Area, AuditEntry, Authorship
from policy.core.farm import (
    Change,
    ExemptionRemoved,
    LockRemoved,
    OverrideRemoved,
    StoredRulebook,
    TokenRemoved,
)
from policy.core.overrides import Override
from policy.core.penalties import Points
from policy.core.tokens import Token
from policy.store.records import entry_to_text

MOST_AUDITED: Final = 10_000
MOST_VERSIONS: Final = 50
_REMOVED: Final[Mapping[Area, Callable[[str], Change]]] = {
    Area.LOCK: LockRemoved,
    Area.EXEMPTION: ExemptionRemoved,
    Area.TOKEN: TokenRemoved,
    Area.OVERRIDE: OverrideRemoved,
}


class MemoryAmending(ABC):
    """A part of MemoryStore, which has the tables and the feed."""

    _rulebook: StoredRulebook | None

    _points: dict[str, Points]

    def _begin_amending(self) -> None:
        self._audit: deque[AuditEntry] = deque(maxlen=MOST_AUDITED)
        self._audited = 0
        self._tokens: dict[str, Token] = {}
        self._overrides: dict[str, Override] = {}
        self._used: dict[str, int] = {}
        self._documents: dict[int, str] = {}
        self._versions: dict[int, RulebookVersion] = {}

    @abstractmethod
    def _now(self) -> int: ...

    @abstractmethod
    def _table(self, area: Area) -> MutableMapping[str, Any]: ...

    @abstractmethod
    async def _change(self, change: Change) -> int: ...

    async def amend(self, amendments: Sequence[Amendment]) -> list[Amended]:
        return [await self._amend(each) for each in amendments]

    async def _amend(self, amendment: Amendment) -> Amended:
        self._now()
        table, subject = self._table(amendment.area), amendment.subject
        before = await self.record_of(amendment.area, subject)
        if not _is_expected(before, amendment.expected):
            return Amended(Fate.OVERTAKEN, 0, before)
        entry = amendment.entry
        if entry is None and not before:
            return Amended(Fate.NOTHING_THERE)
        most = MOST_ENTRIES.get(amendment.area, 0)
        if entry is not None and not before and 0 < most <= len(table):
            return Amended(Fate.FULL)
        table.pop(subject, None)
        if entry is not None:
            table[subject] = entry
        elif amendment.area is Area.LOCK:
            self._points.pop(subject, None)
        after = entry_to_text(entry) if entry else ""
        self._write_down(amendment.area, subject, amendment.by, before, after)
        change = entry if entry is not None else _REMOVED[amendment.area](subject)
        return Amended(Fate.DONE, await self._change(change), before)

    async def record_of(self, area: Area, subject: str) -> str:
        self._now()
        entry = self._table(area).get(subject)
        return entry_to_text(entry) if entry is not None else ""

    async def put_version(self, rulebook: StoredRulebook, replaces: int, by: Authorship) -> int:
        self._now()
        stored = self._rulebook
        if replaces != (stored.version if stored else 0):
            return 0
        if stored is not None:
            self._documents.setdefault(stored.version, stored.document)
        version = rulebook.version
        self._rulebook = rulebook
        self._documents[version] = rulebook.document
        self._versions[version] = RulebookVersion(version, by, len(rulebook.document.encode()))
        self._documents.pop(version - MOST_VERSIONS, None)
        self._versions.pop(version - MOST_VERSIONS, None)
        self._write_down(Area.RULEBOOK, "rulebook", by, str(replaces), str(version))
        return await self._change(rulebook)

    async def versions(self) -> tuple[RulebookVersion, ...]:
        self._now()
        return tuple(sorted(self._versions.values(), key=lambda each: -each.version))

    async def document_of(self, version: int) -> str | None:
        self._now()
        return self._documents.get(version)

    async def audit(self, before: str, limit: int) -> tuple[AuditEntry, ...]:
        self._now()
        first = int(before.partition("-")[0]) if before else self._audited + 1
        found = (each for each in reversed(self._audit) if int(each.entry_id[:-2]) < first)
        return tuple(each for each, _ in zip(found, range(limit), strict=False))

    async def tokens_used(self, used_at_ms: Mapping[str, int]) -> None:
        self._now()
        self._used |= used_at_ms

    async def token_uses(self) -> Mapping[str, int]:
        self._now()
        return dict(self._used)

    def _write_down(
        self, area: Area, subject: str, by: Authorship, before: str, after: str
    ) -> None:
        self._audited += 1
        self._audit.append(AuditEntry(f"{self._audited}-0", area, subject, by, before, after))


def _is_expected(before: str, expected: str) -> bool:
    if expected == ANY:
        return True
    return before == "" if expected == NONE else before != "" and version_tag(before) == expected
