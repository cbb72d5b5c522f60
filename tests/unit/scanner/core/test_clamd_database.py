"""What ClamAV's database files say of themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.core.clamd_database import Probe, last_probe, malformed, number_of

OFFICIAL = b"ClamAV-VDB:23 Nov 2026 10-00 -0500:27500:2066745:90:0123:dsig:builder:1795428000"


def test_a_container_tells_its_number() -> None:
    assert number_of(OFFICIAL.ljust(512)) == 27500


@pytest.mark.parametrize(
    "header",
    [b"", b"PK\3\4", b"ClamAV-VDB:", b"ClamAV-VDB:x:y:1:", b"ClamAV-VDB:x:1234567890:1:"],
)
def test_what_is_no_container_tells_none(header: bytes) -> None:
    assert number_of(header) is None


def test_the_last_signature_that_is_plain_is_a_probe() -> None:
    lines = b"\r\n".join(
        (
            b"First:0:*:" + b"first signature".hex().encode(),
            b"Last:0:*:" + b"last signature".hex().upper().encode() + b":51:99",
            b"Wild:0:*:0102030405060708??0a",
            b"Offset:0:EOF-8:0102030405060708",
            b"Target:1:*:0102030405060708",
            b"Short:0:*:0102",
            b"Odd:0:*:010203040506070",
            b"",
        )
    )
    assert last_probe(lines) == Probe("Last", b"last signature")


def test_a_file_without_a_plain_signature_has_no_probe() -> None:
    assert last_probe(b"# nothing\nX:0:*:{-8}00\n") is None


@given(st.binary())
def test_any_octets_are_read_without_an_error(octets: bytes) -> None:
    number_of(octets)
    last_probe(octets)


@given(st.binary(min_size=8, max_size=512))
def test_a_probe_is_what_its_signature_finds(content: bytes) -> None:
    assert last_probe(b"Own:0:*:%s\n" % content.hex().encode()) == Probe("Own", content)


@pytest.mark.parametrize(
    "line",
    [
        b"Name:0:*:deadbeef",
        b"Name:1:EP+0,300:de??ad*be{4-8}ef(aa|bb)",
        b"Name:4:*:deadbeef:51:255",
        b"# a comment",
        b"",
    ],
)
def test_what_clamav_documents_is_not_malformed(line: bytes) -> None:
    assert malformed(b"First:0:*:deadbeef\n" + line + b"\r\n") == ""


@pytest.mark.parametrize(
    "line", [b"Broken:0:*:this is not hexadecimal", b"Name:0:*", b"half of a line", b"\xff\x00"]
)
def test_what_no_clamd_loads_is_named(line: bytes) -> None:
    assert malformed(b"First:0:*:deadbeef\n" + line + b"\n").startswith("no signature: ")
