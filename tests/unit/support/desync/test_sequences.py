import pytest

from tests.support.desync.sequences import INNER, OUTER, SEQUENCES, TERMINATOR, Tempo


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("CRLF . CRLF", 2),
        ("CRLF . LF", 0),
        ("CRLF . CRCRLF", 0),
        ("LF . LF", 0),
        ("LF . text", 0),
        ("CR . CR", 0),
        ("none . CRLF", 1),
    ],
)
def test_a_strict_reader_sees_so_many_messages(name: str, messages: int) -> None:
    (found,) = {
        each.messages
        for each in SEQUENCES
        if each.name == name
        and "NUL" not in each.variant
        and each.tempo is not Tempo.IN_A_CHUNK
    }  # fmt: skip
    assert found == messages


def test_a_nul_makes_content_ambiguous() -> None:
    assert {each.messages for each in SEQUENCES if "NUL" in each.variant} == {0}


def test_no_two_rows_are_the_same() -> None:
    assert len({(each.variant, each.name) for each in SEQUENCES}) == len(SEQUENCES)


@pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda each: f"{each.variant}: {each.name}")
def test_each_row_has_a_whole_second_message_behind_its_octets(sequence: object) -> None:
    row = next(each for each in SEQUENCES if each is sequence)
    outer, *commands, inner = row.steps(b"#7#")
    assert outer.endswith(row.filler + row.octets)
    assert OUTER + b"#7#\r\n" in outer
    assert [each[:4] for each in commands] == [b"MAIL", b"RCPT", b"DATA"]
    assert INNER + b"#7#\r\n" in inner
    assert inner.endswith(TERMINATOR)


def test_in_a_chunk_a_sequence_is_one_message_unless_a_cr_stands_alone() -> None:
    chunks = {each.name: each.messages for each in SEQUENCES if each.tempo is Tempo.IN_A_CHUNK}
    assert [name for name, messages in chunks.items() if not messages] == [
        *("CRLF . CR", "CRLF . CRCRLF", "LF . CR", "LF . CRCRLF"),
        *("CR . CRLF", "CR . LF", "CR . CR", "CR . CRCRLF", "CR . text"),
        *("none . CR", "none . CRCRLF"),
    ]
