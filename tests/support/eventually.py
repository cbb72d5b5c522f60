"""Wait for a condition instead of a time: asked again and again until it holds."""

import asyncio
from collections.abc import Callable
from typing import Final

PATIENCE_S: Final = 30.0
"""Generous: a machine that is shared may be slow, a test that passes does not wait."""
_BETWEEN_S: Final = 0.005


async def eventually(is_so: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Return when ``is_so`` holds. Raises TimeoutError when it never does."""
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 - what is waited for is in another process, often
            await asyncio.sleep(_BETWEEN_S)


async def turns(count: int = 20) -> None:
    """Let the loop turn: whatever could happen at once has happened then."""
    for _ in range(count):
        await asyncio.sleep(0)
