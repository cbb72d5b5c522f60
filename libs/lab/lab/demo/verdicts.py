"""What the farm says about the messages it saw, asked of its REST API."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Final

from lab.admin_client import AdminClient
from lab.demo.table import Said

# Edges report in batches, a moment after the client was answered.
REPORTED_WITHIN_S: Final = 5.0
_STEP_S: Final = 0.05


async def verdicts(admin: AdminClient, senders: Iterable[str]) -> Mapping[str, Said]:
    """By sender; waits until each of ``senders`` is there, but not for ever."""
    wanted = set(senders)
    deadline = time.monotonic() + REPORTED_WITHIN_S
    while True:
        known = await asyncio.to_thread(_known, admin)
        if wanted <= known.keys() or time.monotonic() > deadline:
            return known
        await asyncio.sleep(_STEP_S)


def _known(admin: AdminClient) -> Mapping[str, Said]:
    return {
        each["reverse_path"]: Said(each["verdict"], tuple(each["findings"]))
        for each in admin.get("/api/v1/outcomes?limit=500")["items"]
    }
