"""A wait that is written once and done in two worlds: blocking, or on a loop.

A function that waits is a generator: it looks, yields as long as it has to wait, and returns.
"""

import asyncio
import time
from collections.abc import Iterator
from typing import Final

Steps = Iterator[None]

STEP_S: Final = 0.03


def drive(steps: Steps) -> None:
    """Wait by sleeping."""
    for _ in steps:
        time.sleep(STEP_S)


async def drive_async(steps: Steps) -> None:
    """Wait while the loop goes on. What happens between two steps still blocks it."""
    for _ in steps:
        await asyncio.sleep(STEP_S)
