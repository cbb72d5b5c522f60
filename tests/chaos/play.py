"""One scenario under load, from the warming up to the judgement."""

import asyncio
import time
from contextlib import suppress
from typing import Final

from service_kit.tasks import Tasks
from tests.chaos.farm import ChaosFarm
from tests.chaos.judge import IN_A_ROW, Judgement, judge
from tests.chaos.load import Load
from tests.chaos.scenarios import Scenario

WARM: Final = 10
"""Clean messages accepted before anything happens."""
RECOVERED_WITHIN_S: Final = 60.0


async def play(farm: ChaosFarm, scenario: Scenario) -> Judgement:
    """Raises TimeoutError if the farm never got warm."""
    load = Load(farm.edge)
    async with Tasks() as tasks:
        running = tasks.spawn(load.run(), name="load")
        await _accepted(load, WARM, within_s=60.0)
        for step in scenario.fault:
            await farm.do(step)
        await asyncio.sleep(scenario.hold_s)
        for step in scenario.cure:
            await farm.do(step)
        healed_s = time.monotonic()
        already = load.accepted_clean
        # A little more than what is looked for: it may have to begin anew.
        with suppress(TimeoutError):  # the judgement says so
            await _accepted(load, already + 3 * IN_A_ROW, within_s=RECOVERED_WITHIN_S)
        load.finish()
        await running
    stored = await asyncio.to_thread(farm.stored)
    mine = {each.message for each in load.attempts}
    return judge(
        load.attempts, {name: times for name, times in stored.items() if name in mine}, healed_s
    )


async def _accepted(load: Load, least: int, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while load.accepted_clean < least:  # noqa: ASYNC110 - the farm is another process
            await asyncio.sleep(0.05)
