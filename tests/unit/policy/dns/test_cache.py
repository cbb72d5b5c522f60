"""Answers kept: until they may not be believed, within a bound of memory."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from policy.dns.cache import FAILURE_S, AnswerCache
from policy.dns.records import Answer, Kind, Lookup
from tests.unit.policy.dns.known_names import FAILURE

A = Lookup("a.example", Kind.A)
B = Lookup("b.example", Kind.A)
ANSWER = Answer(("192.0.2.1",), 60)


def test_an_answer_is_kept_as_long_as_it_says() -> None:
    cache = AnswerCache(10_000)
    cache.put(A, ANSWER, 100)
    assert cache.get(A, 159.9) is ANSWER
    assert cache.get(A, 160) is None
    assert len(cache) == 0


def test_kinds_of_one_name_are_kept_apart() -> None:
    cache = AnswerCache(10_000)
    cache.put(A, ANSWER, 0)
    assert cache.get(Lookup(A.name, Kind.AAAA), 0) is None


def test_a_failure_is_kept_for_a_moment() -> None:
    cache = AnswerCache(10_000)
    cache.put(A, FAILURE, 0)
    assert cache.get(A, FAILURE_S - 0.1) is FAILURE
    assert cache.get(A, FAILURE_S) is None


def test_a_newer_answer_takes_the_place_of_the_older_one() -> None:
    cache = AnswerCache(10_000)
    cache.put(A, FAILURE, 0)
    cache.put(A, ANSWER, 0)
    assert (cache.get(A, FAILURE_S), len(cache)) == (ANSWER, 1)


def test_beyond_the_bound_what_was_asked_for_longest_ago_goes_first() -> None:
    cache = AnswerCache(2000)
    cache.put(A, ANSWER, 0)
    cache.put(B, ANSWER, 0)
    assert cache.get(A, 1) is ANSWER
    cache.put(Lookup("c.example", Kind.A), ANSWER, 1)
    assert (cache.get(A, 1), cache.get(B, 1)) == (ANSWER, None)


def test_what_is_larger_than_the_bound_is_not_kept_and_drives_nothing_out() -> None:
    cache = AnswerCache(2000)
    cache.put(A, ANSWER, 0)
    cache.put(B, Answer((b"x" * 4000,), 60), 0)
    assert (cache.get(A, 1), cache.get(B, 1)) == (ANSWER, None)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 600)), max_size=60))
def test_the_bound_holds_whatever_is_put(puts: list[tuple[int, int]]) -> None:
    cache = AnswerCache(5000)
    for number, size in puts:
        cache.put(Lookup(str(number), Kind.TXT), Answer((b"x" * size,), 60), 0)
        assert 0 <= cache._left <= 5000
    for number in range(21):
        cache._forget(Lookup(str(number), Kind.TXT))
    assert cache._left == 5000


def test_the_bound_is_about_what_memory_says() -> None:
    """An estimate that operators plan with: rather more than there is than less."""
    bound = 2 * 2**20
    tracemalloc.start()
    try:
        cache = AnswerCache(bound)
        for number in range(20_000):
            lookup = Lookup(f"host-{number}.example", Kind.A)
            cache.put(lookup, Answer((f"10.{number % 250}.0.1",), 60), 0)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert bound / 3 < used < 1.5 * bound
