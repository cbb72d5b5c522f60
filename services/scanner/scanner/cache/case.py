"""One question as the cache sees it: by what it is remembered, for how long, waited for until when.

No errors.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from scanner.cache.known_since import KnownSince
from scanner.core.cache_key import digest_of, key_of
from scanner.core.cache_life import Lives, life_s
from scanner.core.content import Content
from scanner.core.essence import essence
from scanner.core.profile import LooksAt
from scanner.ports import Question
from smtpgated_contracts.values.scan import EngineClass

# Of the time a question has: what is left must still do for asking the engine.
_PATIENCE: Final = 0.5
# Digesting takes about a millisecond for each MiB; beyond this it is done beside the loop.
_DIGEST_HERE_OCTETS: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Case:
    """``given``: exactly what the engine is given if it is asked; ``judges``: of that engine.

    ``patient_until_s`` and ``deadline_s`` are moments of the loop's clock.
    """

    given: Content
    judges: frozenset[EngineClass]
    key: str
    life_s: float
    patient_until_s: float
    deadline_s: float


class Cases:
    """Makes them; remembers of each engine since when it has been the version it is."""

    def __init__(self, lives: Lives) -> None:
        self._lives: Final = lives
        self._known_since: Final = KnownSince()
        self._clock = asyncio.get_running_loop().time

    async def of(self, question: Question) -> Case | None:
        """None: the answer is not to be remembered, or nobody knows whose it would be."""
        engine, version, now_s = question.engine, question.version, self._clock()
        if version is None or engine.looks_at is LooksAt.SESSION:
            return None
        looks_at_essence = engine.looks_at is LooksAt.ESSENCE
        given = essence(question.content) if looks_at_essence else question.content
        extent = "head" if question.head_only else "whole"
        known_for_s = self._known_since.known_for_s(engine, version, now_s)
        return Case(
            given,
            engine.judges,
            key_of(engine, version, extent, await _digest(given)),
            life_s(engine, version, known_for_s, self._lives),
            now_s + _PATIENCE * (question.deadline - now_s),
            question.deadline,
        )


async def _digest(content: Content) -> str:
    if content.size_octets <= _DIGEST_HERE_OCTETS:
        return digest_of(content)
    return await asyncio.to_thread(digest_of, content)
