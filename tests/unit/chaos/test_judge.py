"""The judge finds what it is there for, and accuses nobody else."""

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.judge import IN_A_ROW, Attempt, Kind, Told, judge
from tests.chaos.scenarios import SCENARIOS, SMOKE, named


def attempt(name: str, told: Told, at_s: float = 0.0, kind: Kind = Kind.CLEAN) -> Attempt:
    return Attempt(name, kind, told, at_s)


def test_what_was_accepted_and_is_not_there_is_lost() -> None:
    attempts = [attempt("a", Told.ACCEPTED), attempt("b", Told.DEFERRED)]
    assert judge(attempts, {}, 0.0).lost == ("a",)
    assert judge(attempts, {"a": 1}, 0.0).lost == ()


def test_what_is_there_without_a_word_is_doubled_and_an_unknown_end_excuses_one() -> None:
    attempts = [
        attempt("a", Told.UNKNOWN),
        attempt("a", Told.ACCEPTED),
        attempt("b", Told.DEFERRED),
    ]
    assert judge(attempts, {"a": 2}, 0.0).doubled == ()
    assert judge(attempts, {"a": 3}, 0.0).doubled == ("a",)
    assert judge(attempts, {"a": 1, "b": 1}, 0.0).doubled == ("b",)


def test_an_infected_message_that_is_there_is_found_whatever_was_said() -> None:
    for told in Told:
        judged = judge([attempt("v", told, kind=Kind.INFECTED)], {"v": 1}, 0.0)
        assert judged.infected_stored == 1
        assert not judged.is_sound


def test_recovery_begins_with_the_first_of_a_row() -> None:
    row = [attempt(str(at), Told.ACCEPTED, 10.0 + at) for at in range(IN_A_ROW)]
    assert judge(row, {}, 8.0).recovery_s == 2.0
    assert judge(row[:-1], {}, 8.0).recovery_s is None
    broken = [*row[:5], attempt("x", Told.DEFERRED, 14.5), *row[5:]]
    assert judge(broken, {}, 8.0).recovery_s is None
    later = [attempt(f"l{at}", Told.ACCEPTED, 30.0 + at) for at in range(IN_A_ROW)]
    assert judge([*later, *broken], {}, 8.0).recovery_s == 7.0


@given(
    st.lists(
        st.builds(
            Attempt,
            st.sampled_from("abcde"),
            st.just(Kind.CLEAN),
            st.sampled_from(Told),
            st.floats(0, 100),
        )
    )
)
def test_a_far_side_that_keeps_its_word_is_never_accused(attempts: list[Attempt]) -> None:
    stored = dict.fromkeys((each.message for each in attempts), 0)
    for each in attempts:
        stored[each.message] += each.told is Told.ACCEPTED
    judged = judge(attempts, stored, 0.0)
    assert (judged.lost, judged.doubled, judged.infected_stored) == ((), (), 0)


def test_scenarios_have_names_of_their_own_and_the_smoke_is_of_them() -> None:
    assert len({each.name for each in SCENARIOS}) == len(SCENARIOS)
    assert [each.name for each in named(SMOKE)] == list(SMOKE)
