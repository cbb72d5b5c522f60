"""Windows and points: the twin, a real Valkey and a real cluster say what the model says."""

import secrets
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.core.leases import Standing
from policy.core.rates import (
    Count,
    Measured,
    RateBook,
    Request,
    Spend,
    Spent,
    given_back,
)
from policy.ports import PolicyStore
from policy.store.memory import MemoryStore
from policy.store.redis.store import RedisStore
from service_kit.clock import ManualClock
from tests.contract.policy.samples import opening, soon
from tests.contract.policy.valkey import Valkey

MINUTE_MS = 60_000


def one(cost: int = 1, limit: int = 3, subject: str = "address:192.0.2.1") -> Count:
    return Count("messages", subject, MINUTE_MS, limit, cost)


async def spend(store: PolicyStore, *counts: Count) -> Spent:
    (spent,) = await store.settle([Spend(counts)], soon())
    assert isinstance(spent, Spent)
    return spent


async def test_a_window_is_full_and_free_again(store: PolicyStore, clock: ManualClock) -> None:
    assert [(await spend(store, one())).used for _ in range(3)] == [(0,), (1,), (2,)]
    assert await spend(store, one()) == Spent((3,), (0,))
    clock.advance(66)
    assert await spend(store, one()) == Spent((0,))


async def test_all_or_nothing(store: PolicyStore) -> None:
    narrow = one(limit=1, subject="identity:joe")
    await spend(store, narrow)
    assert await spend(store, one(), narrow) == Spent((0, 1), (1,))
    assert await spend(store, one(cost=0)) == Spent((0,))


async def test_what_only_watches_blocks_nothing(store: PolicyStore) -> None:
    watching = replace(one(limit=1), measured=Measured.SHADOW)
    other = one(subject="total")
    assert [(await spend(store, watching, other)).full for _ in range(2)] == [(), (0,)]
    assert (await spend(store, replace(other, cost=0))).used == (2,)


async def test_what_has_happened_is_charged_whatever_is_left(store: PolicyStore) -> None:
    await spend(store, *Spend((one(cost=50),)).charged().counts)
    assert await spend(store, one(cost=0)) == Spent((50,), (0,))


async def test_what_is_given_back_can_be_spent_again(store: PolicyStore) -> None:
    await spend(store, one(cost=3))
    await store.settle([given_back([one(cost=3)])], soon())
    assert await spend(store, one(cost=3)) == Spent((0,))


async def test_names_count_once_and_only_as_many_as_the_limit(store: PolicyStore) -> None:
    def to(server: str) -> Count:
        return replace(one(limit=2), rate_id="servers", member=server)

    told = [await spend(store, to(server)) for server in ("a", "b", "a", "c", "b")]
    assert [each.full for each in told] == [(), (), (), (0,), ()]
    assert told[-1].used == (2,)


async def test_a_batch_of_leases_and_spends_is_answered_in_order(store: PolicyStore) -> None:
    batch: list[Request] = [opening("a"), Spend((one(),)), opening("b"), Spend((one(),))]
    assert await store.settle(batch, soon()) == [
        Standing.GRANTED,
        Spent((0,)),
        Standing.GRANTED,
        Spent((1,)),
    ]


async def test_points_add_up_and_halve(store: PolicyStore, clock: ManualClock) -> None:
    assert await store.add_points("address:192.0.2.1", 40.0, MINUTE_MS) == 40.0
    clock.advance(60)
    assert abs(await store.add_points("address:192.0.2.1", 5.0, MINUTE_MS) - 25.0) < 0.001
    assert await store.add_points("address:192.0.2.2", 1.0, MINUTE_MS) == 1.0


counts = st.builds(
    Count,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["total", "address:192.0.2.1", "domain:żółw}.example"]),
    st.sampled_from([1000, 60_000]),
    st.integers(0, 6),
    st.integers(-2, 4),
    st.sampled_from(Measured),
)
names = st.builds(
    Count,
    st.just("names"),
    st.sampled_from(["total", "identity:joe"]),
    st.just(60_000),
    st.integers(0, 3),
    st.integers(0, 1),
    st.sampled_from(Measured),
    st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
)


def _windows(count: Count) -> tuple[str, str, int, bool]:
    return count.rate_id, count.subject, count.window_ms, bool(count.member)


spends = st.lists(counts | names, min_size=1, max_size=4, unique_by=_windows).map(
    lambda some: Spend(tuple(some))
)
steps_s = st.sampled_from([0.0, 0.001, 0.08, 0.5, 1.0, 5.0, 59.0, 70.0])


@given(st.lists(st.tuples(steps_s, spends), max_size=30))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_lua_is_the_model(valkey: Valkey, history: list[tuple[float, Spend]]) -> None:
    clock = ManualClock()
    model, twin = RateBook(), MemoryStore(clock)
    redis = RedisStore(valkey.url, secrets.token_hex(6), deadline_s=5, clock=clock)
    try:
        for step_s, wanted in history:
            clock.advance(step_s)
            expected = [model.spend(wanted, clock.unix_ms())]
            assert await twin.settle([wanted], soon()) == expected
            assert await redis.settle([wanted], soon()) == expected
    finally:
        await redis.aclose()
