"""What all replicas know together, in Redis: statements, and claims of those who are finding out.

One key a verdict: ``smtpgated:verdict:FARM:ENGINE:WHO:DIGEST`` (``core/cache_key``). It holds
``=`` and statements, or ``?`` and the token of who is asking the engine; both have an end. What
is read is trusted as far as its form: nonsense counts as nothing, and is overwritten.

No errors: slow or away, it is AWAY. After some failures in a row it is left alone for a while
(``core/circuit``), which is said once.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

from scanner import metrics
from scanner.cache.redis_link import RedisLink, Script, Word
from scanner.core.cached_statements import LARGEST_TEXT
from scanner.core.circuit import Circuit, CircuitState
from service_kit.failures import Unavailable
from service_kit.logs import event

_LOG: Final = logging.getLogger(__name__)
_LOOK_OR_CLAIM: Final = Script.named("look_or_claim")
_RELEASE: Final = Script.named("release")
_STATEMENTS: Final = b"="
_CLAIM: Final = b"?"


class Look(Enum):
    """What a look brought, when it was not statements."""

    CLAIMED = "nothing is known, and finding out is ours"
    TAKEN = "somebody else is finding out"
    NONSENSE = "not ours, whatever it is; nobody is finding out"
    AWAY = "nobody can tell"


@dataclass(frozen=True, slots=True)
class Kept:
    """``text``: of ``cached_statements``, unread. ``left_s``: seconds until it goes."""

    text: bytes
    left_s: float


class Shared(Protocol):
    async def look_or_claim(self, key: str, token: str, claim_s: float) -> Kept | Look: ...

    async def keep(self, key: str, text: bytes, life_s: float) -> None: ...

    async def release(self, key: str, token: str) -> None:
        """Give a claim back; harmless when it is not ours any more, or never was."""
        ...

    async def aclose(self) -> None: ...


class NobodyElse:
    """A replica on its own."""

    async def look_or_claim(self, _key: str, _token: str, _claim_s: float) -> Look:
        return Look.AWAY

    async def keep(self, _key: str, _text: bytes, _life_s: float) -> None:
        """Nobody would look for it."""

    async def release(self, _key: str, _token: str) -> None:
        """There was none."""

    async def aclose(self) -> None:
        """Nothing is open."""


class InRedis:
    """``farm``: replicas of one name share what they know."""

    def __init__(self, link: RedisLink, farm: str) -> None:
        self._link = link
        self._prefix = f"smtpgated:verdict:{farm}:"
        self._circuit = Circuit()
        self._answers = True
        self._clock = asyncio.get_running_loop().time
        metrics.CACHE_SHARED_UP().set(1)

    async def look_or_claim(self, key: str, token: str, claim_s: float) -> Kept | Look:
        claim = _CLAIM + token.encode()
        most = len(_STATEMENTS) + LARGEST_TEXT
        found = await self._call(_LOOK_OR_CLAIM, key, claim, _milliseconds(claim_s), most)
        match found:
            case None:
                return Look.AWAY
            case []:
                return Look.CLAIMED
            case [bytes(value), int(left_ms)] if left_ms > 0:
                if value.startswith(_STATEMENTS):
                    return Kept(value[len(_STATEMENTS) :], left_ms / 1000)
                if value.startswith(_CLAIM):
                    return Look.TAKEN
        metrics.CACHE_NONSENSE().inc()
        return Look.NONSENSE

    async def keep(self, key: str, text: bytes, life_s: float) -> None:
        value, life_ms = _STATEMENTS + text, _milliseconds(life_s)
        await self._heard(self._link.run("SET", self._prefix + key, value, "PX", life_ms))

    async def release(self, key: str, token: str) -> None:
        await self._call(_RELEASE, key, _CLAIM + token.encode())

    async def aclose(self) -> None:
        await self._link.aclose()

    async def _call(self, script: Script, key: str, *arguments: Word) -> Any:
        return await self._heard(self._link.call(script, self._prefix + key, *arguments))

    async def _heard(self, exchange: Coroutine[Any, Any, Any]) -> Any:
        """What Redis answers; None when it does not. It never says nil to what we ask."""
        if self._circuit.state(self._clock()) is CircuitState.OPEN:
            exchange.close()
            return None
        self._circuit.asked(self._clock())
        try:
            answer = await exchange
        except Unavailable as failure:
            metrics.CACHE_SHARED_FAILURES(failure.kind).inc()
            self._circuit.failed(self._clock())
            self._note(str(failure))
            return None
        self._circuit.succeeded()
        self._note()
        return answer

    def _note(self, why: str = "") -> None:
        """One line a change: one slow answer is none."""
        answers = self._circuit.state(self._clock()) is CircuitState.CLOSED
        if answers is self._answers:
            return
        self._answers = answers
        metrics.CACHE_SHARED_UP().set(answers)
        if answers:
            event(_LOG, logging.INFO, "verdict cache answers")
        else:
            event(_LOG, logging.WARNING, "verdict cache away", why=why)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
