import pytest

from edge_proxy.smtp.chunks import Chunk, parse_chunk
from edge_proxy.smtp.errors import Violation, ViolationKind


@pytest.mark.parametrize(
    ("argument", "chunk"),
    [
        (b"0", Chunk(0, last=False)),
        (b"1", Chunk(1, last=False)),
        (b"00042", Chunk(42, last=False)),
        (b"0 LAST", Chunk(0, last=True)),
        (b"86 last", Chunk(86, last=True)),
        (b"86 \t LaSt", Chunk(86, last=True)),
        (b"9" * 18, Chunk(10**18 - 1, last=False)),
    ],
)
def test_a_size_and_perhaps_last(argument: bytes, chunk: Chunk) -> None:
    assert parse_chunk(argument) == chunk


@pytest.mark.parametrize(
    "argument",
    [
        b"",
        b"LAST",
        b"-1",
        b"+1",
        b"1.0",
        b"0x10",
        b"1e3",
        b"1_000",
        b"1LAST",
        b"1 LASTX",
        b"1 LAST LAST",
        b"1 2",
        b"1 ",
        b" 1",
        b"1\n",
        b"9" * 19,
        b"\xd9\xa1",  # U+0661: a digit, but not one of ours
    ],
)
def test_a_size_nobody_can_follow_is_a_violation(argument: bytes) -> None:
    with pytest.raises(Violation) as violation:
        parse_chunk(argument)
    assert violation.value.kind is ViolationKind.MALFORMED_CHUNK
