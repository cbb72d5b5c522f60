import pytest

from tests.support.desync.far_sides import FAR_SIDES
from tests.support.desync.outcomes import Outcome
from tests.support.desync.run import Column
from tests.support.desync.sequences import SEQUENCES, Sequence, Tempo
from tools.write_desync_matrix import page

BODY = (b"outer message\ntext",)
INNER = (b"inner message\ntext",)


NOTHING = tuple(Outcome(each, (), (), ()) for each in SEQUENCES)
EMPTY = Column(next(iter(FAR_SIDES)), NOTHING, NOTHING)


def row_of(name: str, direct: Outcome, through: Outcome) -> str:
    """The row of that name in the first table, of a column in which only it has outcomes."""
    at = [each.name for each in SEQUENCES].index(name)
    before, behind = NOTHING[:at], NOTHING[at + 1 :]
    column = Column(EMPTY.far_side, (*before, direct, *behind), (*before, through, *behind))
    return next(line for line in page([column]).splitlines() if line.startswith(f"| {name} |"))


def named(name: str) -> Sequence:
    return next(each for each in SEQUENCES if each.name == name)


@pytest.mark.parametrize(
    ("name", "direct", "through", "cell"),
    [
        ("CRLF . CRLF", ((250,), BODY, INNER), ((250,), BODY, INNER, BODY + INNER), "2 → 2"),
        ("LF . LF", ((250,), BODY, INNER), ((521,), (), (), ()), "**2!** → 521"),
        ("LF . LF", ((451,), (), INNER), ((521,), (), (), ()), "**0+1!** → 521"),
        ("LF . LF", ((550,), (), ()), ((550,), (), (), ()), "0 → 0"),
        ("none . LF", ((250,), BODY, ()), ((250,), BODY, (), BODY), "1 → 1"),
        ("none . LF", ((), (), ()), ((), (), (), ()), "0 → 0"),
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
    found = row_of(name, Outcome(sequence, *direct), Outcome(sequence, *through))
    assert found == f"| {name} | {cell} |"


def test_a_chunk_that_no_server_wanted_is_not_tried() -> None:
    rows = [line for line in page([EMPTY]).splitlines() if line.endswith("| · → · |")]
    assert len(rows) == sum(each.tempo is Tempo.IN_A_CHUNK for each in SEQUENCES)


def test_every_far_side_and_every_variant_is_on_the_page() -> None:
    found = page([])
    for far_side, kind in FAR_SIDES.items():
        assert f"* **{far_side}**: {kind.about}\n" in found
    for each in SEQUENCES:
        assert f"## {each.variant[0].upper()}{each.variant[1:]}\n" in found
