"""``struct pfioc_natlook``, field by field at the offsets of the two systems' headers."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.pf_wire import FREEBSD, OPENBSD, NatLook
from smtpgated_contracts.values.mail import Endpoint


@dataclass(frozen=True)
class Header:
    """What net/pfvar.h and sys/socket.h of a system say."""

    size: int
    ioctl: int
    inet6: int
    offsets: Mapping[str, int]


ADDRESSES = {"saddr": 0, "daddr": 16, "rsaddr": 32, "rdaddr": 48}
HEADERS = {
    "FreeBSD": Header(
        76,
        0xC04C4417,
        28,
        ADDRESSES
        | {"sport": 64, "dport": 66, "rsport": 68, "rdport": 70}
        | {"af": 72, "proto": 73, "direction": 74},
    ),
    "OpenBSD": Header(
        80,
        0xC0504417,
        24,
        ADDRESSES
        | {"rdomain": 64, "rrdomain": 66}
        | {"sport": 68, "dport": 70, "rsport": 72, "rdport": 74}
        | {"af": 76, "proto": 77, "direction": 78},
    ),
}
SYSTEMS = pytest.mark.parametrize(
    ("natlook", "header"),
    [(FREEBSD, HEADERS["FreeBSD"]), (OPENBSD, HEADERS["OpenBSD"])],
    ids=list(HEADERS),
)


def laid_out(header: Header, **fields: str) -> bytearray:
    """The structure with these fields in hex, zeros elsewhere."""
    structure = bytearray(header.size)
    for name, text in fields.items():
        octets = bytes.fromhex(text)
        start = header.offsets[name]
        structure[start : start + len(octets)] = octets
    return structure


@SYSTEMS
def test_the_number_of_the_ioctl(natlook: NatLook, header: Header) -> None:
    assert natlook.ioctl == header.ioctl


@SYSTEMS
def test_a_question_about_ipv4(natlook: NatLook, header: Header) -> None:
    question = natlook.question(Endpoint("192.0.2.1", 4711), Endpoint("10.0.0.1", 2525))
    assert question == laid_out(
        header,
        saddr="c0000201",
        daddr="0a000001",
        sport="1267",
        dport="09dd",
        af="02",
        proto="06",
        direction="02",
    )


@SYSTEMS
def test_a_question_about_ipv6(natlook: NatLook, header: Header) -> None:
    question = natlook.question(Endpoint("2001:db8::1", 4711), Endpoint("fd00::1", 2525))
    assert question == laid_out(
        header,
        saddr="20010db8000000000000000000000001",
        daddr="fd000000000000000000000000000001",
        sport="1267",
        dport="09dd",
        af=f"{header.inet6:02x}",
        proto="06",
        direction="02",
    )


@SYSTEMS
def test_an_answer_is_read_where_it_stands(natlook: NatLook, header: Header) -> None:
    rest = {"saddr": "ff" * 16, "daddr": "ff" * 16, "rsaddr": "ff" * 16, "rsport": "ffff"}
    four = laid_out(header, rdaddr="c6336419" + "ff" * 12, rdport="0019", af="02", **rest)
    assert natlook.answer(four) == Endpoint("198.51.100.25", 25)
    six = "20010db8000000000000000000000025"
    structure = laid_out(header, rdaddr=six, rdport="024b", af=f"{header.inet6:02x}", **rest)
    assert natlook.answer(structure) == Endpoint("2001:db8::25", 587)


@SYSTEMS
def test_another_family_is_no_answer(natlook: NatLook, header: Header) -> None:
    with pytest.raises(Malformed, match="address family 99"):
        natlook.answer(laid_out(header, af="63"))
