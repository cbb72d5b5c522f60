import pytest

from edge_proxy.smtp.header_filter import HeaderFilter

NAME = b"X-NAT-Received"
SPOOFED = b"x-nat-received \t: from [192.0.2.1]\r\n\tby nobody\r\n with folds\r\n"


def filtered(wire: bytes, size: int) -> bytes:
    """What passes when the octets come in slices of ``size``; all of it must have come out."""
    fields = HeaderFilter(NAME)
    passed = b"".join(fields.passed(wire[at : at + size]) for at in range(0, len(wire), size))
    assert fields.over
    return passed


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16, 1000])
@pytest.mark.parametrize(
    ("wire", "passed"),
    [
        (SPOOFED + b"Subject: a\r\n\r\nbody\r\n", b"Subject: a\r\n\r\nbody\r\n"),
        (b"Subject: a\r\n" + SPOOFED + b"\r\n", b"Subject: a\r\n\r\n"),
        (SPOOFED + SPOOFED + b"A: b\r\n" + SPOOFED + b"\r\n", b"A: b\r\n\r\n"),
        (SPOOFED + b".\r\nQUIT\r\n", b".\r\nQUIT\r\n"),
        (b"A: b\r\n\tX-NAT-Received: folded\r\n\r\n", b"A: b\r\n\tX-NAT-Received: folded\r\n\r\n"),
        (b"X-NAT-Receive: b\r\nX-NAT-Received-By: c\r\n\r\n", None),
        (b"A: b\r\n\r\n" + SPOOFED + b"\r\n", None),
        (b"A: " + b"x" * 5000 + b"\r\n\r\n", None),
        (b"A: b\rX-NAT-Received: c\r\r\n..\r\n.x\r\n\r\n\r\r\n", None),
        (b"\r\n" + SPOOFED, None),
        (b" X-NAT-Received: a\r\n\r\n", None),
    ],
)
def test_fields_of_that_name_go_and_nothing_else(
    wire: bytes, passed: bytes | None, size: int
) -> None:
    assert filtered(wire, size) == (wire if passed is None else passed)


def test_little_is_kept_back_whatever_comes() -> None:
    fields = HeaderFilter(NAME)
    for slice_size in (1, 7, 100):
        came = passed = 0
        for _ in range(200):
            came += slice_size
            passed += len(fields.passed(b"x" * slice_size))
        assert came - passed <= 30


def test_blanks_before_the_colon_are_counted_the_same_however_they_come() -> None:
    wire = NAME + b" " * 9 + b": a\r\n\r\n"
    assert filtered(wire, 1) == filtered(wire, 1000) == wire
