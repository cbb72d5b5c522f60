"""The smoke version of ``make chaos``: parts fail under load, and mail is not harmed."""

from collections.abc import Iterator

import pytest

from tests.chaos.farm import ChaosFarm, farm_running
from tests.chaos.play import play
from tests.chaos.scenarios import SMOKE, named
from tests.support.containers import Engine

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def farm(engine: Engine) -> Iterator[ChaosFarm]:
    with farm_running(engine) as running:
        yield running


@pytest.mark.parametrize("name", SMOKE)
async def test_nothing_infected_passes_and_nothing_is_lost_or_doubled(
    farm: ChaosFarm, name: str
) -> None:
    (scenario,) = named([name])
    judgement = await play(farm, scenario)
    assert judgement.is_sound, judgement
