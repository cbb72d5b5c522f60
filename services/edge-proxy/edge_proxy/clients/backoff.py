"""How long to wait before a stream is opened again: a little, then longer, never in step."""

import asyncio
import logging
import random
from typing import Final

FIRST_S: Final = 0.1
LONGEST_S: Final = 2.0


class Backoff:
    __slots__ = ("_next_s",)

    def __init__(self) -> None:
        self._next_s = FIRST_S

    @property
    def level(self) -> int:
        """How loud a failure is in the log: the first one is news, those that follow are not."""
        return logging.WARNING if self._next_s == FIRST_S else logging.DEBUG

    def succeeded(self) -> None:
        """The stream did work: the next failure is a first one."""
        self._next_s = FIRST_S

    async def wait(self) -> None:
        # A farm of edges that lost one policy must not come back in the same instant.
        await asyncio.sleep(self._next_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        self._next_s = min(LONGEST_S, self._next_s * 2)
