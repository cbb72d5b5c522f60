"""``make chaos``: every scenario (or those named) against the compose farm; docs/chaos.md.

exit codes: 0 all sound, 1 something was lost, doubled or let through, 2 wrong arguments
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.chaos.farm import farm_running
from tests.chaos.judge import Judgement, Told
from tests.chaos.play import play
from tests.chaos.scenarios import SCENARIOS, Scenario, named
from tests.support.containers import IMAGES, engine_running

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "chaos.md"
_HEAD: Final = """\
# Chaos

Made by `make chaos`. Every scenario happens to the compose farm under a steady load, ten new
messages a second: four of six clean, one spam, one infected, each with a name of its own; clients
try again what was deferred or got no reply. Parts fail for six seconds, then they are brought
back. **infected** is what the far side stored of the virus, **lost** what clients were told 250 for
and the far side has not, **doubled** what it has more often than clients were told 250 or were
left without a reply. **recovered** counts from the moment the part was brought back to the first of
ten clean messages accepted in a row. Viruses have the stance closed, spam has open (the defaults).

"""
_COLUMNS: Final = (
    "scenario",
    *Told,
    *("infected", "lost", "doubled", "recovered", "clients see meanwhile"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("scenario", nargs="*", help="names; none: all of them, and docs/chaos.md")
    asked = parser.parse_args()
    try:
        scenarios = named(asked.scenario) if asked.scenario else list(SCENARIOS)
    except ValueError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    judged = asyncio.run(_played(scenarios))
    heads = f"| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}\n"
    page = _HEAD + heads + "".join(_row(each, judgement) for each, judgement in judged.items())
    if not asked.scenario:
        PAGE.write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return 0 if all(each.is_sound for each in judged.values()) else 1


async def _played(scenarios: list[Scenario]) -> Mapping[Scenario, Judgement]:
    judged = {}
    with engine_running() as engine:
        for name in IMAGES:
            sys.stderr.write(f"image {name}\n")
            engine.build(name)
        with farm_running(engine) as farm:
            for number, scenario in enumerate(scenarios, 1):
                sys.stderr.write(f"{number}/{len(scenarios)} {scenario.name}\n")
                judged[scenario] = await play(farm, scenario)
    return judged


def _row(scenario: Scenario, judgement: Judgement) -> str:
    recovered = "never" if judgement.recovery_s is None else f"{judgement.recovery_s:.1f} s"
    told = " | ".join(str(judgement.told.get(each, 0)) for each in Told)
    return (
        f"| {scenario.name} | {told} | {judgement.infected_stored} | {len(judgement.lost)} "
        f"| {len(judgement.doubled)} | {recovered} | {scenario.expected} |\n"
    )


if __name__ == "__main__":
    sys.exit(main())
