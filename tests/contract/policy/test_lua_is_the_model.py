"""Random histories: the Lua scripts, the twin and the pure model say the same, step by step."""

import secrets

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.core.leases import Caps, LeaseBook, LeaseRequest, Open, Release, Renew
from policy.core.locks import outlasts
from policy.store.memory import MemoryStore
from policy.store.redis.store import RedisStore
from service_kit.clock import ManualClock
from smtpgated_contracts.values.mail import SessionId
from smtpgated_contracts.values.policy import Lock, SessionProgress
from tests.contract.policy.samples import lock, progress, soon
from tests.contract.policy.valkey import Valkey

SOURCES = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2")
IDENTITIES = ("", "joe", "żółw}")
# A session never changes its source or identity; so the name decides them.
names = st.integers(0, 11)
caps = st.builds(Caps, st.integers(0, 6), st.integers(0, 3), st.integers(0, 2))
steps_s = st.sampled_from([0.0, 0.001, 1.0, 9.999, 10.0, 15.0, 29.999, 30.0, 61.0])


def _described(number: int) -> SessionProgress:
    return progress(
        f"s{number}",
        SOURCES[number % len(SOURCES)],
        opened_at_ms=number % 3,
        identity=IDENTITIES[number % len(IDENTITIES)],
    )


requests: st.SearchStrategy[LeaseRequest] = st.one_of(
    st.builds(lambda number, cap: Open(_described(number), cap), names, caps),
    st.builds(lambda numbers: Renew(tuple(map(_described, numbers))), st.lists(names, max_size=4)),
    st.builds(
        lambda numbers: Release(tuple(SessionId(f"s{number}") for number in numbers)),
        st.lists(names, max_size=4),
    ),
)
histories = st.lists(st.tuples(steps_s, st.lists(requests, max_size=4)), max_size=25)


@given(history=histories)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_leases(valkey: Valkey, history: list[tuple[float, list[LeaseRequest]]]) -> None:
    clock = ManualClock()
    model = LeaseBook()
    twin = MemoryStore(clock)
    redis = RedisStore(valkey.url, secrets.token_hex(6), deadline_s=5, clock=clock)
    try:
        for step_s, batch in history:
            clock.advance(step_s)
            expected = [model.settle(request, clock.unix_ms()) for request in batch]
            assert await twin.settle(batch, soon()) == expected
            assert await redis.settle(batch, soon()) == expected
            for source in ("", *SOURCES):
                assert await redis.sessions(source, 0, 99) == await twin.sessions(source, 0, 99)
    finally:
        await redis.aclose()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=20))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_lengthening_locks(valkey: Valkey, history: list[tuple[int, int]]) -> None:
    model: dict[str, Lock] = {}
    twin = MemoryStore()
    redis = RedisStore(valkey.url, secrets.token_hex(6), deadline_s=5)
    try:
        for number, (host, expiry) in enumerate(history):
            wanted = lock(f"address:192.0.2.{host}", expiry, cause=f"cause {number}")
            present = model.get(wanted.subject)
            if present is None or not outlasts(present, wanted):
                model[wanted.subject] = wanted
            in_force = [model[wanted.subject]]
            for store in (twin, redis):
                assert [each.lock for each in await store.lengthen_locks([wanted])] == in_force
    finally:
        await redis.aclose()
