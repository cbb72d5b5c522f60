from collections.abc import Iterable

import pytest

from tests.support.desync.far_sides import FAR_SIDES
from tests.support.desync.outcomes import Outcome
from tests.support.desync.run import Column
from tests.support.desync.sequences import SEQUENCES, Sequence
from tools.write_desync_matrix import page

BODY = (b"outer message\ntext",)
INNER = (b"inner message\ntext",)


def row_of(name: str, outcomes: Iterable[tuple[Outcome, Outcome]]) -> str:
    """The row of that name in the first table, of columns in which only it has outcomes."""
    columns = []
    for far_side, (direct, through) in zip(FAR_SIDES, outcomes, strict=False):
        empty = [Outcome(each, (), (), ()) for each in SEQUENCES]
        at = [each.name for each in SEQUENCES].index(name)
        columns.append(
            Column(
                far_side,
                (*empty[:at], direct, *empty[at + 1 :]),
                (*empty[:at], through, *empty[at + 1 :]),
            )
        )
    return next(line for line in page(columns).splitlines() if line.startswith(f"| {name} |"))


def named(name: str) -> Sequence:
    return next(each for each in SEQUENCES if each.name == name)


@pytest.mark.parametrize(
    ("name", "direct", "through", "cell"),
    [
        ("CRLF . CRLF", ((250,), BODY, INNER), ((250,), BODY, INNER, BODY + INNER), "2 → 2"),
        ("LF . LF", ((250,), BODY, INNER), ((521,), (), (), ()), "**2!** → 521"),
        ("LF . LF", ((451,), (), INNER), ((521,), (), (), ()), "**0+1!** → 521"),
        ("LF . LF", ((550,), (), ()), ((), (), (), ()), "0 → 0"),
        ("none . LF", ((250,), BODY, ()), ((250,), BODY, (), BODY), "1 → 1"),
        ("none . LF", ((250,), BODY, ()), ((250,), BODY, (), (b"other",)), "1 → 1 ≠"),
        ("none . LF", ((250,), BODY, ()), ((250,), BODY, (), ()), "1 → 1 ≠"),
        ("LF . LF", ((250,), BODY, ()), ((250,), BODY, INNER, BODY), "1 → **2!**"),
    ],
)  # fmt: skip
def test_a_cell_tells_what_came_of_it(
    name: str,
    direct: tuple[tuple[int, ...], tuple[bytes, ...], tuple[bytes, ...]],
    through: tuple[tuple[int, ...], tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]],
    cell: str,
) -> None:
    sequence = named(name)
    outcomes = [(Outcome(sequence, *direct), Outcome(sequence, *through))]
    assert row_of(name, outcomes) == f"| {name} | {cell} |"


def test_every_far_side_and_every_variant_is_on_the_page() -> None:
    found = page([])
    for far_side, kind in FAR_SIDES.items():
        assert f"* **{far_side}**: {kind.about}\n" in found
    for each in SEQUENCES:
        assert f"## {each.variant[0].upper()}{each.variant[1:]}\n" in found
