"""How many of the engines' answers the scanner had remembered, asked of its /metrics."""

import asyncio
import re
import urllib.request
from typing import Final

from service_kit.addresses import HostPort

_PATIENCE_S: Final = 5.0
_ANSWERS: Final = re.compile(
    r'^scanner_cache_answers_total\{engine="\w+",source="(\w+)"\} ([\d.]+)$', re.MULTILINE
)
_FROM_THE_ENGINE: Final = frozenset({"asked", "unkept"})


async def remembered(scanner: HostPort) -> tuple[int, int]:
    """Answers that needed no engine, and all answers. ``scanner``: where it shows its metrics."""
    shown = await asyncio.to_thread(_page, f"http://{scanner}/metrics")
    answers = [(source, int(float(count))) for source, count in _ANSWERS.findall(shown)]
    needed_none = sum(count for source, count in answers if source not in _FROM_THE_ENGINE)
    return needed_none, sum(count for _, count in answers)


def _page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=_PATIENCE_S) as page:  # noqa: S310  http, our own
        text: str = page.read().decode()
    return text
