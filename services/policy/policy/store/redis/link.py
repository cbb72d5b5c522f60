"""The way to Redis: a pipeline of commands within a deadline, over a bounded pool.

Connections are made when needed and are never shared between two calls at once; one whose
answer was not waited for is closed, so no answer can reach the wrong question. There are no
silent retries: who asks has a deadline and a way to go on without us. After a failure the way
is found anew where it can change (``whereabouts``).
Errors: ``Unavailable``, translated from whatever redis-py and the socket raise.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from redis.exceptions import NoScriptError

from policy.store.redis.connecting import options_of
from policy.store.redis.route import Route
from policy.store.redis.script_files import ALL, Script
from policy.store.redis.whereabouts import Whereabouts
from service_kit.failures import Unavailable, translated

Command = tuple[str | int, ...]
"""One command as Redis spells it."""

MOST_CONNECTIONS: Final = 16
"""Of one replica. At the bound a call waits for a connection, within its deadline."""


def call(script: Script, keys: Sequence[str], *arguments: str | int) -> Command:
    """A script as a command."""
    return ("EVALSHA", script.digest, len(keys), *keys, *arguments)


class RedisLink:
    """``url``: redis://, rediss:// or unix://. ``deadline_s`` holds where a call names none.

    ``whereabouts`` say which node is to be asked; None: the one of the URL.
    """

    def __init__(
        self,
        url: str,
        deadline_s: float,
        most_connections: int = MOST_CONNECTIONS,
        whereabouts: Whereabouts | None = None,
    ) -> None:
        self._deadline_s = deadline_s
        self._route = Route(options_of(url, deadline_s), most_connections, whereabouts)

    async def run(self, *commands: Command, deadline: float | None = None) -> list[Any]:
        """One round trip for all; their answers in order.

        Scripts that Redis does not know (it was restarted, or SCRIPT FLUSH) are put back and
        called again.
        """
        if deadline is None:
            deadline = asyncio.get_running_loop().time() + self._deadline_s
        with self._asking():
            async with asyncio.timeout_at(deadline):
                answers = await self._pipeline(commands, transaction=False)
                unknown = [
                    at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)
                ]
                if unknown:
                    await self._load_scripts()
                    again = await self._pipeline(
                        [commands[at] for at in unknown], transaction=False
                    )
                    for at, answer in zip(unknown, again, strict=True):
                        answers[at] = answer
                for answer in answers:
                    if isinstance(answer, Exception):
                        raise answer
        return answers

    async def transaction(self, *commands: Command) -> list[Any]:
        """The same as one moment of the store (MULTI); no scripts."""
        with self._asking():
            async with asyncio.timeout(self._deadline_s):
                return await self._pipeline(commands, transaction=True)

    async def wait(self, command: Command, wait_s: float) -> Any:
        """A command that itself waits up to ``wait_s``; the deadline begins after that."""
        with self._asking():
            async with asyncio.timeout(wait_s + self._deadline_s):
                await self._route.look_again()
                client = await self._route.client()
                return await client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py

    async def aclose(self) -> None:
        await self._route.aclose()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            with translated("redis"):
                yield
        except Unavailable:
            self._route.doubt()
            raise

    async def _pipeline(self, commands: Sequence[Command], *, transaction: bool) -> list[Any]:
        client = await self._route.client()
        pipeline = client.pipeline(transaction=transaction)
        for command in commands:
            pipeline.execute_command(*command)
        answers: list[Any] = await pipeline.execute(raise_on_error=transaction)
        return answers

    async def _load_scripts(self) -> None:
        await self._pipeline([("SCRIPT", "LOAD", each.text) for each in ALL], transaction=False)
