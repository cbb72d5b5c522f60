import pytest

from edge_proxy.smtp.errors import Violation, ViolationKind
from edge_proxy.smtp.limits import REPLY, REPLY_LINE
from edge_proxy.smtp.replies import Reply, ReplyReader, render_reply
from tests.support.three_ways import read_by_octet, read_whole, three_ways


class _Replies:
    def __init__(self) -> None:
        self._reader = ReplyReader()
        self._fed = b""

    def feed(self, octets: bytes) -> None:
        self._reader.feed(octets)
        self._fed += octets

    def take(self) -> Reply | None:
        return self._reader.take_reply()

    def left(self) -> bytes:
        return self._fed[len(self._fed) - len(self._reader) :]


@pytest.mark.parametrize(
    ("octets", "code", "lines"),
    [
        (b"250 Ok\r\n", 250, (b"Ok",)),
        (b"250\r\n", 250, (b"",)),
        (b"250 \r\n", 250, (b"",)),
        (b"599 x\r\n", 599, (b"x",)),
        (b"250-a\r\n250 b\r\n", 250, (b"a", b"b")),
        (b"250-\r\n250-\r\n250\r\n", 250, (b"", b"", b"")),
        (b"550 5.7.1 \xc3\xa4 \xff\r\n", 550, (b"5.7.1 \xc3\xa4 \xff",)),
        (b"250 " + b"x" * (REPLY_LINE - 6) + b"\r\n", 250, (b"x" * (REPLY_LINE - 6),)),
    ],
)
def test_a_reply_is_lines_of_one_code(octets: bytes, code: int, lines: tuple[bytes, ...]) -> None:
    assert three_ways(_Replies, octets) == Reply(code, lines, octets)


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (b"hello\r\n", ViolationKind.MALFORMED_REPLY),
        (b"\r\n", ViolationKind.MALFORMED_REPLY),
        (b"25 x\r\n", ViolationKind.MALFORMED_REPLY),
        (b"2500 x\r\n", ViolationKind.MALFORMED_REPLY),
        (b"150 x\r\n", ViolationKind.MALFORMED_REPLY),
        (b"600 x\r\n", ViolationKind.MALFORMED_REPLY),
        (b" 250 x\r\n", ViolationKind.MALFORMED_REPLY),
        (b"250x\r\n", ViolationKind.MALFORMED_REPLY),
        (b"250_x\r\n", ViolationKind.MALFORMED_REPLY),
        (b"2\xb25 x\r\n", ViolationKind.MALFORMED_REPLY),
        (b"250-a\r\n251 b\r\n", ViolationKind.MALFORMED_REPLY),
        (b"250-a\r\nb\r\n", ViolationKind.MALFORMED_REPLY),
        (b"250 Ok\n", ViolationKind.BARE_LINE_END),
        (b"250 O\rk\r\n", ViolationKind.BARE_LINE_END),
        (b"250 O\0k\r\n", ViolationKind.BARE_LINE_END),
        (b"250-a\n250 b\r\n", ViolationKind.BARE_LINE_END),
    ],
)
def test_what_is_no_reply_is_a_violation(octets: bytes, kind: ViolationKind) -> None:
    for read in (read_whole, read_by_octet):
        with pytest.raises(Violation) as violation:
            read(_Replies, octets)
        assert violation.value.kind is kind


def test_a_line_of_a_reply_is_bounded() -> None:
    reader = ReplyReader()
    reader.feed(b"250 " + b"x" * REPLY_LINE)
    with pytest.raises(Violation) as violation:
        reader.take_reply()
    assert violation.value.kind is ViolationKind.LINE_TOO_LONG


def test_a_whole_reply_is_bounded() -> None:
    line = b"250-" + b"x" * 1018 + b"\r\n"
    reader = ReplyReader()
    for _ in range(REPLY // len(line)):
        reader.feed(line)
        assert reader.take_reply() is None
    assert len(reader) <= REPLY
    reader.feed(line)
    with pytest.raises(Violation) as violation:
        reader.take_reply()
    assert violation.value.kind is ViolationKind.REPLY_TOO_LONG


def test_the_bound_counts_each_reply_anew() -> None:
    reply = (b"250-" + b"x" * 1018 + b"\r\n") * 40 + b"250 Ok\r\n"
    reader = ReplyReader()
    for _ in range(4):
        reader.feed(reply)
        taken = reader.take_reply()
        assert taken is not None
        assert taken.octets == reply
    assert len(reader) == 0


def test_replies_leave_one_by_one() -> None:
    reader = ReplyReader()
    reader.feed(b"250 a\r\n550-b\r\n550 c\r\n354")
    codes = []
    while (reply := reader.take_reply()) is not None:
        codes.append(reply.code)
    assert codes == [250, 550]
    assert len(reader) == len(b"354")


@pytest.mark.parametrize(("code", "kind"), [(220, 2), (354, 3), (421, 4), (599, 5)])
def test_the_kind_is_the_first_digit(code: int, kind: int) -> None:
    assert Reply(code, (b"",), b"").kind == kind


@pytest.mark.parametrize("lines", [(b"Ok",), (b"mx greets", b"SIZE 1000", b"HELP"), (b"",)])
def test_what_is_rendered_reads_back(lines: tuple[bytes, ...]) -> None:
    reader = ReplyReader()
    reader.feed(render_reply(250, lines))
    reply = reader.take_reply()
    assert reply is not None
    assert (reply.code, reply.lines) == (250, lines)
