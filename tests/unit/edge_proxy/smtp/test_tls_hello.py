"""What a hello says is taken from it where it can be followed, and nothing otherwise."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.smtp.tls_hello import TlsVersion, server_name, version
from tests.support.tls_talk import NAME, TlsTalk


def vector(width: int, octets: bytes) -> bytes:
    return len(octets).to_bytes(width, "big") + octets


def extension(kind: int, body: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(2, body)


def names(*entries: tuple[int, bytes]) -> bytes:
    listed = b"".join(bytes([kind]) + vector(2, name) for kind, name in entries)
    return extension(0, vector(2, listed))


def client_hello(extensions: bytes | None) -> bytes:
    fixed = b"\3\3" + bytes(32) + vector(1, bytes(32)) + vector(2, b"\x13\1") + vector(1, b"\0")
    return fixed if extensions is None else fixed + vector(2, extensions)


def server_hello(chosen: int, extensions: bytes | None) -> bytes:
    fixed = chosen.to_bytes(2, "big") + bytes(32) + vector(1, b"") + b"\x13\1\0"
    return fixed if extensions is None else fixed + vector(2, extensions)


def real_client_hello() -> bytes:
    octets = next(TlsTalk(ssl.TLSVersion.TLSv1_3).handshake()).octets
    return octets[9:]  # behind the heads of record and message


def test_the_name_a_real_client_asks_for() -> None:
    assert server_name(real_client_hello()) == NAME


@pytest.mark.parametrize(
    ("extensions", "name"),
    [
        (None, ""),
        (b"", ""),
        (extension(10, b"abc"), ""),
        (names((0, b"Mail.Example.ORG")), "mail.example.org"),
        (extension(23, b"") + names((0, b"mx")), "mx"),
        (names((1, b"other"), (0, b"a.example")), "a.example"),
        (names((0, b"_dmarc.xn--bcher-kva.example")), "_dmarc.xn--bcher-kva.example"),
    ],
)
def test_names(extensions: bytes | None, name: str) -> None:
    assert server_name(client_hello(extensions)) == name


@pytest.mark.parametrize(
    "hostile",
    [
        b"a\r\nlevel=error",
        b"a b",
        b'"',
        b"\xff\xfe",
        b"a" * 254,
        b"",
        b".",
        b"a..b",
        b"\x1b[31m",
    ],
)
def test_a_name_that_is_none_is_not_told(hostile: bytes) -> None:
    assert server_name(client_hello(names((0, hostile)))) == ""


def test_a_hello_cut_anywhere_says_nothing_and_raises_nothing() -> None:
    whole = client_hello(names((0, b"mail.example")))
    assert [server_name(whole[:end]) for end in range(len(whole))] == [""] * len(whole)


@given(st.binary(max_size=300))
def test_no_octets_raise(octets: bytes) -> None:
    assert isinstance(server_name(octets), str)
    assert version(octets) in TlsVersion


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_real_hello_with_one_octet_changed_raises_nothing(at: int, octet: int) -> None:
    hello = bytearray(real_client_hello())
    hello[at % len(hello)] = octet
    assert len(server_name(bytes(hello))) <= 253


@pytest.mark.parametrize(
    ("chosen", "extensions", "expected"),
    [
        (0x0303, None, TlsVersion.TLS_1_2),
        (0x0303, extension(0xFF01, b"\0"), TlsVersion.TLS_1_2),
        (0x0303, extension(43, b"\3\4"), TlsVersion.TLS_1_3),
        (0x0303, extension(51, b"xyz") + extension(43, b"\3\4"), TlsVersion.TLS_1_3),
        (0x0301, b"", TlsVersion.TLS_1_0),
        (0x0300, None, TlsVersion.SSL_3_0),
        (0x0303, extension(43, b"\x7f\x1c"), TlsVersion.UNSEEN),
        (0x0303, extension(43, b"\3"), TlsVersion.UNSEEN),
        (0x0A0A, None, TlsVersion.UNSEEN),
    ],
)
def test_versions(chosen: int, extensions: bytes | None, expected: TlsVersion) -> None:
    assert version(server_hello(chosen, extensions)) is expected
