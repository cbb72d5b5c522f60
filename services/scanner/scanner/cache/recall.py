"""A question through all that is remembered, and at last to the engine: once, and for all who ask.

    known here → somebody here is asking: wait → known in the farm → somebody there is asking: wait
    → ask the engine → tell those who wait, here and there

Waiting ends when half of the time is over: then everybody asks for himself. No errors but the
engine's own. What is told to the farm is told in the background: no verdict waits for Redis.
"""

import asyncio
import itertools
import secrets
from collections.abc import Coroutine
from typing import Any, Final

from scanner import metrics
from scanner.cache.case import Case, Cases
from scanner.cache.flights import Flights
from scanner.cache.memory import Memory
from scanner.cache.shared import Kept, Look, Shared
from scanner.core.cache_life import Lives
from scanner.core.cached_statements import NotOurs, statements_of, text_of
from scanner.core.verdict import Statement
from scanner.metrics import CacheSource, EngineName
from scanner.ports import Answer, Ask, Question
from service_kit.tasks import Tasks

# Between two looks at a claim of another replica. A small message takes clamd some milliseconds.
_FIRST_PAUSE_S: Final = 0.005
_LONGEST_PAUSE_S: Final = 0.2
_LONGER: Final = 1.6


class Recall:
    """A ``VerdictCache``. ``claim_s``: after which a replica that went silent is not waited for."""

    def __init__(self, memory: Memory, shared: Shared, lives: Lives, claim_s: float) -> None:
        self._memory: Final = memory
        self._shared: Final = shared
        self._cases: Final = Cases(lives)
        self._claim_s: Final = claim_s
        self._flights: Final = Flights()
        self._tasks: Final = Tasks()
        self._replica: Final = secrets.token_hex(8)
        self._claims: Final = itertools.count(1)
        self._closed = False
        self._clock = asyncio.get_running_loop().time

    async def answer(self, question: Question, ask: Ask) -> Answer:
        engine = EngineName(question.engine.name)
        source, answer = await self._found_or_asked(question, ask)
        metrics.CACHE_ANSWERS(engine, source).inc()
        return answer

    async def aclose(self) -> None:
        self._closed = True
        await self._tasks.aclose()
        await self._shared.aclose()

    async def _found_or_asked(self, question: Question, ask: Ask) -> tuple[CacheSource, Answer]:
        case = await self._cases.of(question)
        if case is None:
            return CacheSource.UNKEPT, Answer(await ask(question.content))
        while (known := self._memory.get(case.key, self._clock())) is None:
            flight = self._flights.of(case.key)
            if flight is None:
                return await self._led(case, ask)
            followed = await flight.landing(case.patient_until_s)
            if followed is not None:
                return CacheSource.FOLLOWED, Answer(followed, cached=True)
            if self._clock() >= case.patient_until_s:
                statements = await ask(case.given)
                self._keep(case, statements)
                return CacheSource.ASKED, Answer(statements)
        return CacheSource.HERE, Answer(known, cached=True)

    async def _led(self, case: Case, ask: Ask) -> tuple[CacheSource, Answer]:
        """Only without an await since the look at the flights, or there could be one already."""
        with self._flights.leading(case.key) as flight:
            source, answer = await self._known_or_asked(case, ask)
            flight.land(answer.statements)
        return source, answer

    async def _known_or_asked(self, case: Case, ask: Ask) -> tuple[CacheSource, Answer]:
        token = f"{self._replica}-{next(self._claims)}"
        kept = False
        try:
            known = await self._known_in_farm(case, token)
            if known is not None:
                kept = True
                return CacheSource.FARM, Answer(known, cached=True)
            statements = await ask(case.given)
            kept = self._keep(case, statements)
            return CacheSource.ASKED, Answer(statements)
        finally:
            if not kept:
                self._later(self._shared.release(case.key, token))

    async def _known_in_farm(self, case: Case, token: str) -> tuple[Statement, ...] | None:
        """None: it is ours to ask. A claim is waited for no longer than a claim lives, whatever
        its own end is said to be."""
        claim_s = min(self._claim_s, max(0.0, case.deadline_s - self._clock()))
        patient_until_s = min(
            case.patient_until_s, self._clock() + self._claim_s + _LONGEST_PAUSE_S
        )
        pause_s = _FIRST_PAUSE_S
        while True:
            found = await self._shared.look_or_claim(case.key, token, claim_s)
            if isinstance(found, Kept):
                return self._read(case, found)
            if found is not Look.TAKEN or self._clock() + pause_s > patient_until_s:
                return None
            await asyncio.sleep(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, pause_s * _LONGER)

    def _read(self, case: Case, kept: Kept) -> tuple[Statement, ...] | None:
        try:
            statements = statements_of(kept.text, case.judges)
        except NotOurs:
            metrics.CACHE_NONSENSE().inc()
            return None
        self._remember(case, statements, min(kept.left_s, case.life_s))
        return statements

    def _keep(self, case: Case, statements: tuple[Statement, ...]) -> bool:
        """False: they are nothing to keep."""
        text = text_of(statements)
        if text is None:
            return False
        self._remember(case, statements, case.life_s)
        self._later(self._shared.keep(case.key, text, case.life_s))
        return True

    def _remember(self, case: Case, statements: tuple[Statement, ...], for_s: float) -> None:
        self._memory.put(case.key, statements, self._clock() + for_s)
        metrics.CACHE_ENTRIES().set(len(self._memory))

    def _later(self, telling: Coroutine[Any, Any, None]) -> None:
        """As many at once as there were scans within the deadline of a call to Redis."""
        if self._closed:
            telling.close()
        else:
            self._tasks.spawn(telling, name="tell the farm a verdict")
