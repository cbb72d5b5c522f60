"""Long lists, looked through beside the loop: decisions wait for nobody's search."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

_Entry = TypeVar("_Entry")


async def kept(entries: Iterable[_Entry], keep: Callable[[_Entry], bool]) -> list[_Entry]:
    """Those of this moment that ``keep`` is true of, in their order."""
    at_this_moment = list(entries)
    return await asyncio.to_thread(lambda: [each for each in at_this_moment if keep(each)])
