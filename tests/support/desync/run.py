"""All sequences at one far side, directly and through an edge: one column of the matrix."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from service_kit.addresses import HostPort
from service_kit.tasks import Tasks
from tests.support.desync.far_sides import FAR_SIDES
from tests.support.desync.outcomes import Outcome, bodies
from tests.support.desync.sequences import INNER, OUTER, Sequence
from tests.support.desync.trial import Codes, attempt
from tests.support.edge import inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import fake_farm
from tests.support.far_side import FarSide

_AT_ONCE: Final = 24
_AT_THE_DOOR: Final = 4
"""OpenSMTPD's backlog is 5."""


@dataclass(frozen=True, slots=True)
class Column:
    """The outcomes of the same sequences, in their order."""

    far_side: str
    direct: tuple[Outcome, ...]
    through: tuple[Outcome, ...]


async def run_column(far_side: str, sequences: Iterable[Sequence]) -> Column:
    """Start the server, and an edge with a recording scanner before it, and try everything."""
    rows = tuple(sequences)
    with FAR_SIDES[far_side].new() as far:
        direct = await _outcomes(far, far.address, rows, b"direct")
        before = {"destination": {"server": str(far.address)}}
        async with fake_farm() as farm, inner_edge(farm, before) as edge:
            through = await _outcomes(far, edge.address, rows, b"through")
            clean = [scan.content for scan in farm.scanner.scans if scan.end == "answered"]
    return Column(
        far_side,
        direct,
        tuple(
            replace(each, scanned=_of_row(clean, b"through", row))
            for row, each in enumerate(through)
        ),
    )


async def _outcomes(
    far: FarSide, to: HostPort, rows: tuple[Sequence, ...], way: bytes
) -> tuple[Outcome, ...]:
    codes: dict[int, Codes] = {}
    left = iter(enumerate(rows))
    door = asyncio.Semaphore(_AT_THE_DOOR)

    async def work_off() -> None:
        for row, sequence in left:
            try:
                codes[row] = await attempt(to, sequence, _mark(way, row), door)
            except TimeoutError as silent:
                silent.add_note(f"{sequence.variant}: {sequence.name}, {way.decode()}")
                raise

    async with Tasks() as tasks:
        await asyncio.gather(*(tasks.spawn(work_off(), name="desync") for _ in range(_AT_ONCE)))
    await eventually(far.is_idle)
    messages = far.messages()
    return tuple(
        Outcome(
            sequence,
            codes[row],
            bodies(messages, OUTER, _mark(way, row)),
            bodies(messages, INNER, _mark(way, row)),
        )
        for row, sequence in enumerate(rows)
    )


def _of_row(contents: list[bytes], way: bytes, row: int) -> tuple[bytes, ...]:
    mark = _mark(way, row)
    return (*bodies(contents, OUTER, mark), *bodies(contents, INNER, mark))


def _mark(way: bytes, row: int) -> bytes:
    return b"%b %d" % (way, row)
