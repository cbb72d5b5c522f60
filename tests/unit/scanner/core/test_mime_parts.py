"""Messages, well and badly made: a part that any client could show is among the parts."""

import base64
import binascii
import io
import zipfile
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.core.budget import Budget, BudgetExceeded, Limits
from tests.unit.scanner.core.inside import all_parts

PAYLOAD = b"an evil payload\0\xff of some octets"
LETTERS = base64.b64encode(PAYLOAD)


def attached(payload: bytes = PAYLOAD) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = "a message"
    mail.set_content("Hello,\nsee the attachment.\n")
    mail.add_attachment(payload, maintype="application", subtype="octet-stream", filename="x.bin")
    return mail


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def test_plain_text_has_no_parts() -> None:
    assert all_parts(crlf("Subject: x\n\nHello, world.\n")) == []


@pytest.mark.parametrize("content", [b"", b"\r\n", b"x", b":", b"Subject: x", b"\r\n\r\n\r\n"])
def test_hardly_any_content_has_no_parts(content: bytes) -> None:
    assert all_parts(content) == []


def test_an_attachment_is_decoded() -> None:
    assert PAYLOAD in all_parts(attached().as_bytes())


def test_line_ends_without_cr_make_no_difference() -> None:
    assert PAYLOAD in all_parts(attached().as_bytes().replace(b"\r\n", b"\n"))


def test_a_message_in_a_message_in_a_message_is_looked_into() -> None:
    mail = attached()
    for _ in range(3):
        outer = EmailMessage(policy=SMTP)
        outer.set_content("forwarded")
        outer.add_attachment(mail)
        mail = outer
    assert PAYLOAD in all_parts(mail.as_bytes())


def test_a_message_attached_as_an_encoded_file_is_looked_into() -> None:
    assert PAYLOAD in all_parts(attached(attached().as_bytes()).as_bytes())


def test_an_archive_is_unpacked_and_the_archive_in_it() -> None:
    octets = PAYLOAD * 10
    for _ in range(3):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner", octets)
        octets = packed.getvalue()
    assert PAYLOAD * 10 in all_parts(attached(octets).as_bytes())


def test_a_whole_message_of_base64_is_decoded() -> None:
    assert all_parts(crlf("Content-Transfer-Encoding: BASE64\n\n") + LETTERS) == [PAYLOAD]


MULTIPART = """\
Content-Type: multipart/mixed; {parameter}

preamble
--AbC
Content-Transfer-Encoding: base64

{letters}
--AbC--
"""


@pytest.mark.parametrize(
    "parameter",
    [
        "boundary=AbC",
        'boundary="AbC"',
        'BOUNDARY = "AbC"',
        'boundary="AbC',
        "boundary=wrong; boundary=AbC",
        "boundary=AbC; boundary=wrong",
        'boundary*0="Ab"; boundary*1="C"',
        "boundary*=us-ascii''AbC",
        'charset=x;\n boundary="AbC"',
        "",
        "boundary=",
        "; ".join(f"boundary=wrong{n}" for n in range(20)),
    ],
)
def test_a_boundary_is_found_however_it_is_named(parameter: str) -> None:
    content = crlf(MULTIPART.format(parameter=parameter, letters=LETTERS.decode()))
    assert PAYLOAD in all_parts(content)


@pytest.mark.parametrize(
    "header",
    [
        "Content-Transfer-Encoding: base64",
        "content-transfer-encoding:base64",
        "Content-Transfer-Encoding : base64",
        "Content-Transfer-Encoding:\n base64",
        'Content-Transfer-Encoding: (comment) "base64"',
        "Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit",
        "this is no field\nContent-Transfer-Encoding: base64",
        "From sender Mon Nov 23 10:00:00 2026\nContent-Transfer-Encoding: base64",
    ],
)
def test_an_encoding_is_found_however_it_is_named(header: str) -> None:
    assert PAYLOAD in all_parts(crlf(f"Subject: x\n{header}\n\n") + LETTERS)


def test_a_body_that_begins_at_a_line_that_is_no_field_is_read_from_there() -> None:
    content = crlf("Content-Transfer-Encoding: base64\n") + LETTERS + crlf("\n\nharmless")
    assert any(part.startswith(PAYLOAD) for part in all_parts(content))


def test_a_part_behind_the_last_delimiter_is_read() -> None:
    content = crlf(MULTIPART.format(parameter="boundary=AbC", letters="")) + (
        crlf("Content-Transfer-Encoding: base64\n\n") + LETTERS
    )
    assert PAYLOAD in all_parts(content)


def test_a_delimiter_in_the_first_line_of_the_content_is_one() -> None:
    content = crlf("--AbC\nContent-Transfer-Encoding: base64\n\n") + LETTERS
    header = crlf("X: y\nContent-Type: multipart/mixed; boundary=AbC\n\n")
    assert PAYLOAD in all_parts(header + content)


def test_delimiters_are_matched_at_the_beginning_of_lines_only() -> None:
    # To every client this is one body with some garbage in it.
    letters = LETTERS.decode()
    content = MULTIPART.format(
        parameter='boundary="-!"', letters=letters[:9] + "--!-!" + letters[9:]
    ).replace("--AbC", "---!")
    assert PAYLOAD in all_parts(crlf(content))


def test_too_deep_nesting_is_exceeded_not_ignored() -> None:
    with pytest.raises(BudgetExceeded, match="levels"):
        all_parts(b"Content-Type: message/rfc822\r\n\r\n" * 1000)


def test_too_many_delimiters_are_exceeded_not_ignored() -> None:
    content = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 100_000
    with pytest.raises(BudgetExceeded, match="parts"):
        all_parts(content)


def test_what_all_parts_decode_to_is_bounded() -> None:
    mail = attached(b"x" * 1000)
    mail.add_attachment(b"y" * 1000, maintype="a", subtype="b")
    with pytest.raises(BudgetExceeded, match="octets"):
        all_parts(mail.as_bytes(), Budget(Limits(octets=1500), lambda: False))


@pytest.mark.parametrize(
    "hostile",
    [
        b"a: b\n" * 400_000,
        b"a: b\n" + b" c\n" * 400_000,
        b"\n" * 2_000_000,
        b"a" * 2_000_000,
        b"x: " + b"boundary=a;" * 200_000 + b"\n\n\n--a\n",
        b"x: " + b"".join(b"boundary=%d;" % n for n in range(100_000)) + b"\n\n\n--a\n",
        b"Content-Transfer-Encoding: base64\n\n" + b"A=" * 1_000_000,
        b"\n\nbegin 644 x\n" * 100_000,
    ],
    ids=["fields", "folds", "blanks", "line", "boundary", "boundaries", "padding", "begins"],
)
def test_hostile_content_is_read_to_its_end(hostile: bytes) -> None:
    # None of these may take time that grows with its square: the suite's time limit would say.
    tail = b"\n\nbegin 644 x\n" + binascii.b2a_uu(PAYLOAD) + b"`\nend\n"
    assert PAYLOAD in b"".join(all_parts(hostile + tail))


def payloads(mail: Message) -> list[bytes]:
    """What the standard library's parser makes of every encoded leaf."""
    leaves = [part for part in mail.walk() if not part.is_multipart()]
    encoded = [part for part in leaves if part["content-transfer-encoding"] == "base64"]
    return [
        octets for part in encoded if isinstance(octets := part.get_payload(decode=True), bytes)
    ]


@st.composite
def messages(draw: st.DrawFn, levels: int = 3) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = draw(st.text(st.characters(codec="ascii", categories=["L"]), max_size=20))
    mail.set_content(draw(st.text(max_size=100)))
    for _ in range(draw(st.integers(0, 3))):
        if levels and draw(st.booleans()):
            mail.add_attachment(draw(messages(levels - 1)))
        else:
            mail.add_attachment(draw(st.binary(max_size=200)), maintype="a", subtype="b")
    return mail


@given(messages())
def test_whatever_the_standard_parser_decodes_is_among_the_parts(mail: EmailMessage) -> None:
    content = mail.as_bytes()
    parts = all_parts(content)
    for payload in payloads(message_from_bytes(content)):
        assert payload in parts


PIECES = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=a\r\n", b"Content-Type: message/rfc822\r\n",
        b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: quoted-printable\n",
        b"\r\n", b"\n", b"\r", b"--a", b"--a--\r\n", b"\r\n--a\r\n", b"=", b"=4", b"QUJD", b" ",
        b":", b"begin 644 x\n", b"M", b"`\nend\n", b"PK\x03\x04", b"boundary=", b'"',
        b"\0", b"\xff",
    ]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=60))
def test_no_content_raises_anything_but_a_bound(pieces: list[bytes]) -> None:
    try:
        all_parts(b"".join(pieces))
    except BudgetExceeded:
        return


@given(st.lists(PIECES, max_size=60))
def test_bounds_are_kept_whatever_the_content(pieces: list[bytes]) -> None:
    limits = Limits(depth=3, parts=20, octets=200)
    budget = Budget(limits, lambda: False)
    made = 0
    try:
        for part in all_parts(b"".join(pieces), budget):
            made += len(part)
    except BudgetExceeded:
        return
    assert made <= limits.octets
