"""The clock of Redis jumps: slots are neither kept for ever nor given away for good."""

import secrets
from collections.abc import AsyncIterator

import pytest

from policy.core.leases import LEASE_S, Caps, Renew, Standing
from policy.store.redis.store import RedisStore
from service_kit.clock import ManualClock
from tests.contract.policy.samples import opening, progress, soon
from tests.contract.policy.valkey import Valkey

HOUR_S = 3600
ONE_OF_A_SOURCE = Caps(per_source=1)
ONE_OF_AN_IDENTITY = Caps(per_identity=1)
ONE_IN_TOTAL = Caps(total=1)


def put(clock: ManualClock, ahead_s: float) -> None:
    """What spans are measured with goes on."""
    clock.set_unix(clock.unix_ms() / 1000 + ahead_s)


@pytest.fixture
async def store(valkey: Valkey, clock: ManualClock) -> AsyncIterator[RedisStore]:
    made = RedisStore(valkey.url, secrets.token_hex(4), deadline_s=5, clock=clock)
    yield made
    await made.aclose()


async def opened(store: RedisStore, name: str, caps: Caps) -> Standing:
    (standing,) = await store.settle([opening(name, caps=caps, identity="joe")], soon())
    assert isinstance(standing, Standing)
    return standing


@pytest.mark.parametrize(
    ("caps", "reached"),
    [
        (ONE_OF_A_SOURCE, Standing.SOURCE_REACHED),
        (ONE_OF_AN_IDENTITY, Standing.IDENTITY_REACHED),
        (ONE_IN_TOTAL, Standing.TOTAL_REACHED),
    ],
)
async def test_a_clock_put_back_keeps_a_dead_sessions_slot_no_longer_than_a_lease(
    store: RedisStore, clock: ManualClock, caps: Caps, reached: Standing
) -> None:
    assert await opened(store, "dead", caps) is Standing.GRANTED
    put(clock, -HOUR_S)
    assert await opened(store, "next", caps) is reached
    clock.advance(LEASE_S - 1)
    assert await opened(store, "next", caps) is reached
    clock.advance(1)
    assert await opened(store, "next", caps) is Standing.GRANTED


async def test_a_clock_put_back_takes_no_slot_from_who_goes_on(
    store: RedisStore, clock: ManualClock
) -> None:
    await opened(store, "running", ONE_OF_A_SOURCE)
    put(clock, -HOUR_S)
    for _ in range(5):
        clock.advance(10)
        await store.settle([Renew((progress("running", identity="joe"),))], soon())
        assert await opened(store, "next", ONE_OF_A_SOURCE) is Standing.SOURCE_REACHED
    assert [
        each.session.session.session_id for each in (await store.sessions("", 0, 9)).leases
    ] == ["running"]


async def test_after_a_clock_put_forward_the_next_renewal_brings_a_session_back(
    store: RedisStore, clock: ManualClock
) -> None:
    await opened(store, "running", ONE_OF_A_SOURCE)
    put(clock, HOUR_S)
    assert (await store.sessions("", 0, 9)).total == 0
    await store.settle([Renew((progress("running", identity="joe"),))], soon())
    assert await opened(store, "next", ONE_OF_A_SOURCE) is Standing.SOURCE_REACHED
