"""``struct ipfobj`` and ``struct natlookup``, field by field at the offsets of their headers.

The offsets are those of a machine with pointers of 64 bits; its own byte order is the test's.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from edge_proxy.interception.ipfilter_wire import SIOCGNATL, NatLookup
from edge_proxy.interception.malformed import Malformed
from smtpgated_contracts.values.mail import Endpoint

pytestmark = pytest.mark.skipif(sys.maxsize < 1 << 32, reason="offsets of 64 bits")


@dataclass(frozen=True)
class Header:
    version: int
    size: int
    offsets: Mapping[str, int]


SMALL = Header(
    4013400,
    24,
    {"inip": 0, "outip": 4, "realip": 8, "flags": 12, "inport": 16, "outport": 18, "realport": 20},
)
LARGE = Header(
    5010200,
    64,
    {"inip": 0, "outip": 16, "realip": 32, "v": 48}
    | {"flags": 52, "inport": 56, "outport": 58, "realport": 60},
)
ILLUMOS = Header(4010901, LARGE.size, LARGE.offsets)
EVERY = pytest.mark.parametrize("header", [SMALL, LARGE, ILLUMOS], ids=lambda h: str(h.version))
CLIENT, HERE = Endpoint("192.0.2.1", 4711), Endpoint("10.0.0.1", 2525)
FOUR = {"inip": "0a000001", "outip": "c0000201", "inport": "09dd", "outport": "1267"}


def native(number: int) -> str:
    return number.to_bytes(4, sys.byteorder).hex()


def laid_out(header: Header, **fields: str) -> bytearray:
    structure = bytearray(header.size)
    for name, text in fields.items():
        octets = bytes.fromhex(text)
        start = header.offsets[name]
        structure[start : start + len(octets)] = octets
    return structure


def family(header: Header, version: int) -> dict[str, str]:
    return {"v": native(version)} if "v" in header.offsets else {}


@EVERY
def test_a_question_about_ipv4(header: Header) -> None:
    question = NatLookup(header.version).question(CLIENT, HERE)
    assert question == laid_out(header, **FOUR, flags=native(1), **family(header, 4))


@pytest.mark.parametrize("header", [LARGE, ILLUMOS])
def test_a_question_about_ipv6(header: Header) -> None:
    lookup = NatLookup(header.version)
    assert lookup.knows_ipv6
    question = lookup.question(Endpoint("2001:db8::1", 4711), Endpoint("fd00::1", 2525))
    assert question == laid_out(
        header,
        inip="fd000000000000000000000000000001",
        outip="20010db8000000000000000000000001",
        inport="09dd",
        outport="1267",
        flags=native(1),
        v=native(6),
    )


def test_ipfilter_4_does_not_know_ipv6() -> None:
    assert not NatLookup(SMALL.version).knows_ipv6


@EVERY
def test_the_object_points_at_the_question(header: Header) -> None:
    pointing = NatLookup(header.version).pointing_at(0x1122334455667788)
    assert len(pointing) == 56
    assert pointing.hex() == (
        native(header.version)
        + native(header.size)
        + (0x1122334455667788).to_bytes(8, sys.byteorder).hex()
        + native(9)
        + native(0)
        + "00" * 32
    )
    assert SIOCGNATL == 0xC038723F


@EVERY
def test_an_answer_is_read_where_it_stands(header: Header) -> None:
    answer = laid_out(header, **FOUR, realip="c6336419", realport="0019", **family(header, 4))
    assert NatLookup(header.version).answer(bytes(answer)) == Endpoint("198.51.100.25", 25)


def test_an_answer_about_ipv6_and_one_about_neither() -> None:
    six = {"realip": "20010db8000000000000000000000025", "realport": "024b"}
    lookup = NatLookup(LARGE.version)
    answer = laid_out(LARGE, **six, **family(LARGE, 6))
    assert lookup.answer(bytes(answer)) == Endpoint("2001:db8::25", 587)
    with pytest.raises(Malformed, match="IP version 5"):
        lookup.answer(bytes(laid_out(LARGE, **six, **family(LARGE, 5))))
