"""What a replica remembers: for as long as it was told to, and so much and no more."""

from hypothesis import given
from hypothesis import strategies as st

from scanner.cache.memory import Memory
from tests.unit.scanner.fakes import EICAR_FOUND, NO_VIRUS

CLEAN, BAD = (NO_VIRUS,), (EICAR_FOUND,)


def test_what_was_put_is_there_until_it_expires() -> None:
    memory = Memory(10)
    memory.put("a", CLEAN, 100.0)
    assert memory.get("a", 99.9) == CLEAN
    assert memory.get("a", 100.0) is None
    assert len(memory) == 0


def test_what_is_put_last_counts() -> None:
    memory = Memory(10)
    memory.put("a", CLEAN, 100.0)
    memory.put("a", BAD, 50.0)
    assert memory.get("a", 49.0) == BAD
    assert memory.get("a", 51.0) is None


def test_the_least_used_goes_first() -> None:
    memory = Memory(2)
    memory.put("a", CLEAN, 100.0)
    memory.put("b", CLEAN, 100.0)
    memory.get("a", 0.0)
    memory.put("c", CLEAN, 100.0)
    assert [memory.get(key, 0.0) is not None for key in "abc"] == [True, False, True]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans())), st.integers(1, 4))
def test_there_are_never_more_entries_than_allowed(
    steps: list[tuple[str, bool]], most: int
) -> None:
    memory = Memory(most)
    for key, is_put in steps:
        if is_put:
            memory.put(key, CLEAN, 1.0)
            assert memory.get(key, 0.0) == CLEAN
        else:
            memory.get(key, 0.0)
        assert len(memory) <= most
