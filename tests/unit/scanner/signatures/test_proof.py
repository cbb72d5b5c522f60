"""What a daemon has to show before it is believed that it reloaded."""

import pytest

from scanner.ports import ReloadOutcome
from scanner.signatures.folder import Edition
from scanner.signatures.proof import reloaded
from tests.unit.scanner.signatures.fakes import NEW, NEW_OWN, FakeDaemon

LOADED, KEPT, LOST, AWAY = ReloadOutcome
SOON_S, NEVER_S = 0.05, 60.0


@pytest.mark.parametrize("edition", [NEW, NEW_OWN, None], ids=["number", "own", "whatever"])
async def test_what_was_loaded_and_shows_it_is_believed(edition: Edition | None) -> None:
    daemon = FakeDaemon(loads=edition)
    result = await reloaded(daemon, edition, NEVER_S)
    assert (result.outcome, result.why, daemon.reloads) == (LOADED, "", 1)


@pytest.mark.parametrize(
    ("edition", "why"),
    [(NEW, "it does not tell number 2"), (NEW_OWN, "a new signature does not match")],
    ids=["number", "own"],
)
async def test_one_that_does_not_load_it_is_kept_with_what_it_has(
    edition: Edition, why: str
) -> None:
    result = await reloaded(FakeDaemon(loads=None), edition, SOON_S)
    assert (result.outcome, result.why) == (KEPT, why)


@pytest.mark.parametrize(
    ("then", "why"),
    [
        ("gone", "cannot be reached"),
        ("sees ghosts", "it finds something where nothing is"),
        ("blind", "it does not find the test virus any more"),
    ],
)
async def test_one_that_loads_it_and_is_not_itself_any_more_is_lost(then: str, why: str) -> None:
    result = await reloaded(FakeDaemon(then=then), NEW, SOON_S)
    assert result.outcome is LOST
    assert result.why.startswith(why)


async def test_one_that_was_not_there_was_not_told() -> None:
    daemon = FakeDaemon()
    daemon.becomes = "gone"
    assert (await reloaded(daemon, NEW, NEVER_S)).outcome is AWAY
    assert daemon.reloads == 0


async def test_signatures_that_never_knew_the_test_virus_need_not_know_it_afterwards() -> None:
    daemon = FakeDaemon(then="blind")
    daemon.becomes = "blind"
    assert (await reloaded(daemon, NEW, NEVER_S)).outcome is LOADED
