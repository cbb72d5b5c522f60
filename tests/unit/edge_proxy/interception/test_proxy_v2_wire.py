"""The PROXY header of version 2: octets written out by hand, and what is made of them."""

import pytest

from edge_proxy.interception.crc32c import crc32c
from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.proxied import Proxied
from edge_proxy.interception.proxy_header import parse_header
from edge_proxy.interception.proxy_v2_wire import MOST_FOLLOWING, render
from smtpgated_contracts.values.mail import Endpoint

SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")
CLIENT, SERVER = Endpoint("192.0.2.1", 4711), Endpoint("198.51.100.25", 25)
CLIENT6, SERVER6 = Endpoint("2001:db8::1", 4711), Endpoint("2001:db8::25", 25)
BLOCK4 = bytes.fromhex("c0000201 c6336419 1267 0019")
BLOCK6 = bytes.fromhex(
    "20010db8000000000000000000000001 20010db8000000000000000000000025 1267 0019"
)
IDENTITY = 0xE3


def header(following: bytes, command: int = 0x21, family: int = 0x11) -> bytes:
    return SIGNATURE + bytes([command, family]) + len(following).to_bytes(2, "big") + following


def tlv(kind: int, value: bytes) -> bytes:
    return bytes([kind]) + len(value).to_bytes(2, "big") + value


def with_checksum(following: bytes, family: int = 0x11) -> bytes:
    """The following octets, then a checksum, then an identity behind it."""
    rest = tlv(IDENTITY, b"seventeen")
    blank = header(following + tlv(0x03, bytes(4)) + rest, family=family)
    return header(following + tlv(0x03, crc32c(blank).to_bytes(4, "big")) + rest, family=family)


READ = [
    (header(BLOCK4), Proxied(28, source=CLIENT, destination=SERVER)),
    (header(BLOCK6, family=0x21), Proxied(52, source=CLIENT6, destination=SERVER6)),
    (
        header(bytes(10) + b"\xff\xff" + BLOCK4[:4] + BLOCK6[16:], family=0x21),
        Proxied(52, source=CLIENT, destination=SERVER6),
    ),
    (
        header(BLOCK4 + tlv(0x04, b"\0" * 7) + tlv(0x02, b"far.example") + tlv(0x05, b"id")),
        Proxied(57, source=CLIENT, destination=SERVER),
    ),
    (
        header(BLOCK4 + tlv(0xE2, b"other") + tlv(IDENTITY, b"seventeen")),
        Proxied(48, source=CLIENT, destination=SERVER, identity=b"seventeen"),
    ),
    (
        with_checksum(BLOCK4),
        Proxied(47, source=CLIENT, destination=SERVER, identity=b"seventeen"),
    ),
    (header(b"", command=0x20, family=0x00), Proxied(16, local=True)),
    (header(BLOCK4, command=0x20), Proxied(28, local=True)),
    (header(b"what a health check likes", command=0x20, family=0xFF), Proxied(41, local=True)),
    (header(b"", family=0x00), Proxied(16)),
    (header(BLOCK4, family=0x12), Proxied(28)),
    (header(bytes(216), family=0x31), Proxied(232)),
]


@pytest.mark.parametrize(("octets", "proxied"), READ)
def test_whole_octet_by_octet_and_with_a_session_behind_it(octets: bytes, proxied: Proxied) -> None:
    assert parse_header(octets, IDENTITY) == proxied
    for cut in range(1, len(octets)):
        assert parse_header(octets[:cut], IDENTITY) is None
    for behind in (b"E", b"EHLO me\r\n", octets):
        assert parse_header(octets + behind, IDENTITY) == proxied


def test_an_identity_nobody_asked_for_is_not_read() -> None:
    octets = header(BLOCK4 + tlv(IDENTITY, b"seventeen"))
    proxied = parse_header(octets, None)
    assert proxied is not None
    assert proxied.identity == b""


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (header(BLOCK4, command=0x11), "version and command 0x11"),
        (header(BLOCK4, command=0x22), "version and command 0x22"),
        (header(BLOCK4, command=0x31), "version and command 0x31"),
        (header(BLOCK4, family=0x13), "family 0x13"),
        (header(BLOCK4, family=0x10), "family 0x10"),
        (header(BLOCK4, family=0x41), "family 0x41"),
        (header(BLOCK4[:-1]), "too short"),
        (header(b""), "too short"),
        (header(BLOCK4, family=0x21), "too short"),
        (header(BLOCK4 + b"\x04"), "cut off"),
        (header(BLOCK4 + b"\x04\0"), "cut off"),
        (header(BLOCK4 + b"\x04\0\x02\0"), "longer than its header"),
        (header(BLOCK4 + b"\x04\xff\xff\0"), "longer than its header"),
        (header(BLOCK4 + tlv(0x03, bytes(4))), "checksum"),
        (header(BLOCK4 + tlv(0x03, b"")), "checksum"),
        (header(BLOCK4 + tlv(0x03, bytes(5))), "checksum"),
        (header(b"x" * (MOST_FOLLOWING + 1)), "more than 4096"),
    ],
)
def test_what_is_not_exactly_so_is_malformed(octets: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse_header(octets, IDENTITY)


def test_a_header_too_long_is_not_waited_for() -> None:
    with pytest.raises(Malformed, match="65535 octets follow"):
        parse_header(SIGNATURE + b"\x21\x11\xff\xff", None)


@pytest.mark.parametrize("place", sorted({*range(12, 47)} - {28}))
def test_a_checksum_sees_every_octet(place: int) -> None:
    """But that which says that it is one."""
    octets = bytearray(with_checksum(BLOCK4))
    octets[place] ^= 0x10 if place == 15 else 0x40
    with pytest.raises(Malformed):
        parse_header(bytes(octets), IDENTITY)


def test_a_header_of_ours_octet_by_octet() -> None:
    assert render(CLIENT, SERVER) == header(BLOCK4)
    assert render(CLIENT6, SERVER6) == header(BLOCK6, family=0x21)
    assert render(CLIENT, SERVER, IDENTITY, b"seventeen") == header(
        BLOCK4 + tlv(IDENTITY, b"seventeen")
    )
    assert render(CLIENT, SERVER, IDENTITY, b"") == header(BLOCK4)


def test_of_two_families_both_are_written_as_ipv6() -> None:
    octets = render(CLIENT, SERVER6)
    assert octets[13:32] == b"\x21\0\x24" + bytes(10) + b"\xff\xff" + BLOCK4[:4]
    assert parse_header(octets, None) == Proxied(52, source=CLIENT, destination=SERVER6)
