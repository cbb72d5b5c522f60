"""See README.md beside this file."""

from collections.abc import Callable
from functools import cache

import pytest
import uvloop

from tests.support.desync.far_sides import FAR_SIDES
from tests.support.desync.run import Column, run_column
from tests.support.desync.sequences import OUTER, SEQUENCES, Tempo
from tools.write_desync_matrix import PAGE, page

Columns = Callable[[str], Column]

DOT_BEHIND_CRLF = {
    (each.variant, each.name)
    for each in SEQUENCES
    if each.tempo is not Tempo.IN_A_CHUNK and each.name == "CRLF . text" and each.messages
}
ALTERED = {"Haraka": DOT_BEHIND_CRLF}
"""Octets that a server keeps by a reading of its own; docs/desync-matrix.md has why."""


@pytest.fixture(scope="session")
def columns() -> Columns:
    """Each far side is tried once, when it is first asked for."""
    return cache(lambda far_side: uvloop.run(run_column(far_side, SEQUENCES)))


each_far_side = pytest.mark.parametrize("far_side", FAR_SIDES)


def test_servers_reached_directly_are_smuggled_through(columns: Columns) -> None:
    """Without this the tests below would prove nothing."""
    names = {
        far_side: {each.sequence.name for each in columns(far_side).direct if each.smuggled}
        for far_side in ("Postfix, lenient", "OpenSMTPD", "Haraka")
    }
    assert names["Postfix, lenient"] >= {"LF . LF", "LF . CRLF", "CRLF . LF", "CRLF . CRCRLF"}
    assert all("LF . LF" in smuggled for smuggled in names.values())


@each_far_side
def test_nothing_is_smuggled_through_the_edge(columns: Columns, far_side: str) -> None:
    for each in columns(far_side).through:
        assert not each.smuggled, each
        assert len(each.delivered) <= each.sequence.messages, each


@each_far_side
def test_nothing_is_delivered_that_no_scan_has_seen(columns: Columns, far_side: str) -> None:
    """As it is; but for what the server is known to do to octets that it was given."""
    altered = {
        (each.sequence.variant, each.sequence.name)
        for each in columns(far_side).through
        if each.unscanned
    }
    assert altered == ALTERED.get(far_side, set())
    for each in columns(far_side).through:
        assert each.scanned is not None
        assert len(each.scanned) >= len(each.delivered), each


@each_far_side
def test_what_could_be_read_in_two_ways_is_refused_by_the_edge(
    columns: Columns, far_side: str
) -> None:
    ambiguous = [
        each
        for each in columns(far_side).through
        if not each.sequence.messages
        and (each.codes or each.sequence.tempo is not Tempo.IN_A_CHUNK)  # BDAT is not offered
    ]
    assert ambiguous
    for each in ambiguous:
        assert (each.codes, each.delivered, each.scanned) == ((521,), (), ()), each


@each_far_side
def test_what_is_sound_comes_out_as_without_an_edge(columns: Columns, far_side: str) -> None:
    column = columns(far_side)
    both = [pair for pair in zip(column.direct, column.through, strict=True)
            if pair[0].sequence.messages]  # fmt: skip
    assert both
    for direct, through in both:
        assert len(through.outer) == len(direct.outer), through
        assert len(through.inner) == len(direct.inner), through


@pytest.mark.parametrize("far_side", ["Postfix, lenient", "Postfix, strict", "Exim"])
def test_a_chunk_arrives_and_is_scanned_as_it_was_sent(columns: Columns, far_side: str) -> None:
    """RFC 3030 §2: nothing in it is stuffing, nothing in it ends it."""
    chunks = [each for each in columns(far_side).through
              if each.sequence.tempo is Tempo.IN_A_CHUNK and each.delivered]  # fmt: skip
    assert chunks
    for each in chunks:
        (body,) = each.outer
        mark = body.partition(b"\n")[0].removeprefix(OUTER)
        sent = b"".join(each.sequence.steps(mark))
        assert each.scanned == (sent.partition(b"\r\n\r\n")[2],)


@pytest.mark.timeout(300)
def test_the_page_is_what_a_run_gives(columns: Columns) -> None:
    assert PAGE.read_text(encoding="utf-8") == page([columns(name) for name in FAR_SIDES]), (
        "make desync"
    )
