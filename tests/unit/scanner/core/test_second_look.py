import pytest

from scanner.core.content import Content
from scanner.core.second_look import may_hide

HEADER = b"From: a@b.example\r\nMIME-Version: 1.0\r\n"


def _mail(*fields: bytes) -> bytes:
    return HEADER + b"".join(field + b"\r\n" for field in fields) + b"\r\nbody\r\n"


PLAIN = [
    b"Content-Type: text/plain; charset=utf-8",
    b"Content-Type: TEXT/HTML",
    b"Content-Type:multipart/mixed; boundary=B",
    b"content-type: multipart/Alternative;\r\n\tboundary=B",
    b"Content-Type:\r\n application/pdf;\r\n name=a.pdf",
    b"Content-Type: message/rfc822",
    b"Content-Type: message/delivery-status",
    b"Content-Transfer-Encoding: BASE64",
    b"Content-Transfer-Encoding: quoted-printable",
    b"Content-Disposition: attachment",
    b"X-Content-Type: multipart/signed",
]


@pytest.mark.parametrize("field", PLAIN)
def test_what_everybody_reads_alike_is_looked_at_once(field: bytes) -> None:
    assert not may_hide(Content.of(_mail(field)))


ODD = [
    b"Content-Type: multipart/signed; boundary=B",
    b"Content-Type: MULTIPART/Signed; boundary=B",
    b"Content-Type : multipart/parallel; boundary=B",
    b"Content-Type: multipart/(x)signed; boundary=B",
    b"Content-Type: (x) multipart/mixed; boundary=B",
    b"Content-Type: multipart /mixed; boundary=B",
    b'Content-Type: "multipart/mixed"; boundary=B',
    b"Content-Type: multipart/mixed x; boundary=B",
    b"Content-Type: text/plain, multipart/signed; boundary=B",
    b"Content-Type: multipart/=?utf-8?q?signed?=; boundary=B",
    b"Content-Type: message/partial; id=x; number=1",
    b"Content-Type: message/external-body",
    b"Content-Type: message/news",
    b"Content-Type: text",
    b"Content-Type:",
    b"Content-Type: text/plain\r\nContent-Type: multipart/signed; boundary=B",
    b"Content-Transfer-Encoding: (x) base64",
    b"Content-Transfer-Encoding: x-uuencode",
    b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64",
    b"Content-Transfer-Encoding: quoted-printable\r\nContent-Type: message/rfc822",
]


@pytest.mark.parametrize("field", ODD)
def test_what_may_be_read_in_two_ways_is_looked_at_twice(field: bytes) -> None:
    assert may_hide(Content.of(_mail(field)))


@pytest.mark.parametrize("field", ODD)
def test_it_may_lie_deep_in_the_body(field: bytes) -> None:
    inner = b"Content-Type: text/plain\r\n\r\nhello\r\n--B\r\n" + field + b"\r\n\r\n"
    assert may_hide(Content.of(_mail(b"Content-Type: multipart/mixed; boundary=B"), inner))


@pytest.mark.parametrize("at", range(len(HEADER), len(HEADER) + 40))
def test_a_border_between_pieces_hides_nothing(at: int) -> None:
    whole = _mail(b"Content-Type: multipart/signed; boundary=B")
    assert may_hide(Content.of(whole[:at], whole[at:]))


def test_the_encoding_of_another_part_is_not_that_of_a_forwarded_message() -> None:
    parts = (
        b"--B\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nhello\r\n",
        b"--B\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n",
    )
    mail = _mail(b"Content-Type: multipart/mixed; boundary=B")
    assert not may_hide(Content.of(mail + b"".join(parts)))


def test_content_without_a_header_is_looked_at_once() -> None:
    assert not may_hide(Content.of(b""))
    assert not may_hide(Content.of(b"hello\r\n"))
