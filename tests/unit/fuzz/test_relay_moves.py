"""The fuzzer's own function on its seeds, without the fuzzer: it runs, and it reaches far."""

import random

import pytest

from edge_proxy.relay.facts import CloseCause
from tests.fuzz.relay_moves import MOVES, one_session, seeds

SEEDS = seeds()


@pytest.mark.parametrize("seed", SEEDS, ids=[f"{number:03}" for number in range(len(SEEDS))])
def test_a_seed_is_a_session_that_keeps_every_invariant(seed: bytes) -> None:
    assert one_session(seed).seen.closed


def test_the_seeds_reach_what_matters() -> None:
    plays = [one_session(seed) for seed in SEEDS]
    assert any(play.server.stored for play in plays)
    assert any(play.seen.tunnel for play in plays)
    assert any(scan.abandoned for play in plays for scan in play.seen.scans.values())
    ends = {play.core.record.closed_by for play in plays}
    assert {CloseCause.DRAIN, CloseCause.VIOLATION, CloseCause.CLIENT} <= ends


def test_every_move_can_be_made_from_the_first_moment_on() -> None:
    for move in range(len(MOVES)):
        one_session(bytes((0, move, 0, 0)))


def test_some_thousand_sessions_by_chance_keep_every_invariant() -> None:
    """What ``make fuzz`` does by coverage for hours, for seconds, and the same each time."""
    chance = random.Random(30_30)
    for _ in range(3000):
        seed = chance.choice(SEEDS)
        cut = chance.randrange(1, len(seed) + 1)
        one_session(seed[:cut] + chance.randbytes(chance.randrange(60)))
