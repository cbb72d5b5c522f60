import pytest

from tests.support.desync.outcomes import Outcome, bodies
from tests.support.desync.sequences import INNER, OUTER, SEQUENCES

AMBIGUOUS = next(each for each in SEQUENCES if each.messages == 0)
SOUND = next(each for each in SEQUENCES if each.messages == 2)


def test_an_inner_message_is_smuggled_where_a_strict_reader_sees_none() -> None:
    assert Outcome(AMBIGUOUS, (250,), (b"a",), (b"b",)).smuggled
    assert Outcome(AMBIGUOUS, (451,), (), (b"b",)).smuggled
    assert not Outcome(AMBIGUOUS, (250,), (b"a",), ()).smuggled
    assert not Outcome(SOUND, (250,), (b"a",), (b"b",)).smuggled


@pytest.mark.parametrize(
    ("scanned", "delivered", "is_unscanned"),
    [
        (b"a\r\nb\r\n", b"a\nb\n", False),
        (b"a\rb\r\n", b"a b\n", False),
        (b"a\r\nb\r\n", b"a\nb", False),
        (b"a\n.b\r\n", b"a\nb\n", True),
        (b"a\0b\r\n", b"a\n", True),
        (b"ab\r\n", b"ac\n", True),
    ],
)
def test_line_ends_apart_every_octet_counts(
    scanned: bytes, delivered: bytes, is_unscanned: bool
) -> None:
    outcome = Outcome(SOUND, (250,), (delivered,), (), (scanned,))
    assert outcome.unscanned == ((delivered,) if is_unscanned else ())


def test_what_no_scan_saw_at_all_is_unscanned() -> None:
    assert Outcome(SOUND, (250,), (b"a",), (b"b",), (b"a",)).unscanned == (b"b",)


def test_bodies_are_told_apart_by_their_first_line_alone() -> None:
    outer = b"Received: x\nSubject: outer\n\nouter message 7\ntext\n"
    quoting = b"Subject: outer\r\n\r\nouter message 8\r\nDATA\r\n\r\ninner message 7\r\n"
    stored = [outer, quoting]
    assert bodies(stored, OUTER, b"7") == (b"outer message 7\ntext\n",)
    assert bodies(stored, INNER, b"7") == ()
    assert bodies(stored, OUTER, b"70") == ()
