"""The way to Redis: one command or script within a deadline, over a bounded pool.

Connections are made when needed; one whose answer was not waited for is closed, so that no
answer can reach the wrong question. Nothing is tried twice: there is always the engine to ask.
Errors: ``Unavailable``, translated from whatever redis-py and the socket raise.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, Self

from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError

from service_kit.failures import translated

Word = str | bytes | int

MOST_CONNECTIONS: Final = 16
"""Of one replica. At the bound a call waits for a connection, within its deadline."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script in the folder of a package; ``digest`` is what EVALSHA calls it by."""

    text: str
    digest: str

    @classmethod
    def named(cls, name: str, package: str = "scanner.cache") -> Self:
        text = (resources.files(package) / f"{name}.lua").read_text(encoding="utf-8")
        # SHA-1 is how Redis names scripts; nothing rests on its strength.
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


class RedisLink:
    """``url``: redis://, rediss:// or unix://. ``deadline_s``: of each call, with connecting."""

    def __init__(self, url: str, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        pool: ConnectionPool = BlockingConnectionPool.from_url(
            url,
            max_connections=MOST_CONNECTIONS,
            # The deadline of the whole call is ours.
            timeout=None,
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        self._redis = Redis.from_pool(pool)

    async def run(self, *command: Word) -> Any:
        with translated("redis"):
            async with asyncio.timeout(self._deadline_s):
                return await self._execute(*command)

    async def call(self, script: Script, key: str, *arguments: Word) -> Any:
        with translated("redis"):
            async with asyncio.timeout(self._deadline_s):
                try:
                    return await self._execute("EVALSHA", script.digest, 1, key, *arguments)
                except NoScriptError:  # it is new there; this also makes it known
                    return await self._execute("EVAL", script.text, 1, key, *arguments)

    async def aclose(self) -> None:
        await self._redis.aclose(close_connection_pool=True)

    async def _execute(self, *words: Word) -> Any:
        return await self._redis.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py
