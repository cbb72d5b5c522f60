"""What the processes of a farm wrote: JSON lines, one an event."""

import json
from typing import Any

from lab.farm import Farm
from tests.support.eventually import eventually


def logged(farm: Farm, part: str, event: str, **facts: object) -> list[dict[str, Any]]:
    """Events of that name in which all these facts hold, oldest first."""
    text = farm.child(part).log.read_text(encoding="utf-8", errors="replace")
    lines = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
    return [
        each
        for each in lines
        if each["event"] == event and all(each.get(key) == facts[key] for key in facts)
    ]


async def until_logged(farm: Farm, part: str, event: str, **facts: object) -> dict[str, Any]:
    """Wait for such an event; the last of them."""
    await eventually(lambda: logged(farm, part, event, **facts))
    return logged(farm, part, event, **facts)[-1]
