import pytest

from edge_proxy.smtp.errors import Violation, ViolationKind
from edge_proxy.smtp.lines import Inbox
from tests.support.three_ways import read_by_octet, read_whole, three_ways

LIMIT = 16


class _Lines:
    def __init__(self) -> None:
        self._inbox = Inbox()

    def feed(self, octets: bytes) -> None:
        self._inbox.feed(octets)

    def take(self) -> bytes | None:
        return self._inbox.take_line(LIMIT)

    def left(self) -> bytes:
        return self._inbox.take_all()


@pytest.mark.parametrize(
    "line",
    [
        b"\r\n",
        b"NOOP\r\n",
        b" \t \r\n",
        b"\xff\xfe\x01\x7f\r\n",
        b"x" * (LIMIT - 2) + b"\r\n",
    ],
)
def test_a_line_is_what_ends_in_crlf(line: bytes) -> None:
    assert three_ways(_Lines, line) == line


@pytest.mark.parametrize(
    "octets",
    [
        b"NOOP\n",
        b"\n",
        b"NO\rOP\r\n",
        b"\rNOOP\r\n",
        b"NOOP\r\r\n",
        b"NO\0OP\r\n",
        b"\0\r\n",
        b"NOOP\0\r\n",
    ],
)
def test_a_bare_line_end_or_nul_is_a_violation(octets: bytes) -> None:
    for read in (read_whole, read_by_octet):
        with pytest.raises(Violation) as violation:
            read(_Lines, octets)
        assert violation.value.kind is ViolationKind.BARE_LINE_END


@pytest.mark.parametrize("ending", [b"", b"\r\n", b"y\r\n"])
def test_a_line_above_the_limit_is_a_violation(ending: bytes) -> None:
    octets = b"x" * LIMIT + ending
    inbox = Inbox()
    inbox.feed(octets)
    with pytest.raises(Violation) as violation:
        inbox.take_line(LIMIT)
    assert violation.value.kind is ViolationKind.LINE_TOO_LONG


def test_a_line_above_the_limit_is_found_before_its_end_comes() -> None:
    inbox = Inbox()
    for _ in range(LIMIT - 1):
        inbox.feed(b"x")
        assert inbox.take_line(LIMIT) is None
    inbox.feed(b"x")
    with pytest.raises(Violation):
        inbox.take_line(LIMIT)


def test_a_cr_alone_at_the_end_is_no_line_yet() -> None:
    inbox = Inbox()
    inbox.feed(b"NOOP\r")
    assert inbox.take_line(LIMIT) is None
    inbox.feed(b"\n")
    assert inbox.take_line(LIMIT) == b"NOOP\r\n"


def test_lines_leave_in_order_and_the_rest_stays() -> None:
    inbox = Inbox()
    inbox.feed(b"a\r\nb\r")
    inbox.feed(b"\nc")
    assert inbox.take_line(LIMIT) == b"a\r\n"
    assert inbox.take_line(LIMIT) == b"b\r\n"
    assert inbox.take_line(LIMIT) is None
    assert len(inbox) == 1
    assert inbox.take_all() == b"c"
    assert len(inbox) == 0


def test_an_empty_slice_changes_nothing() -> None:
    inbox = Inbox()
    inbox.feed(b"")
    assert inbox.take_line(LIMIT) is None
    inbox.feed(b"a")
    inbox.feed(b"")
    assert inbox.take_all() == b"a"


def test_skipping_stops_at_what_is_there() -> None:
    inbox = Inbox()
    inbox.feed(b"abcdef")
    assert inbox.skip(4) == 4
    assert inbox.skip(4) == 2
    assert inbox.skip(4) == 0
    inbox.feed(b"gh")
    assert inbox.take_all() == b"gh"


def test_an_empty_inbox_keeps_the_slice_uncopied() -> None:
    inbox = Inbox()
    octets = b"x" * 1000
    inbox.feed(octets)
    assert inbox.take_all() is octets
