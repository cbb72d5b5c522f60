"""Who is believed, and what is made of a header."""

import pytest

from edge_proxy.interception.proxy_protocol import ProxyProtocol
from edge_proxy.interception.proxy_v2_wire import render
from edge_proxy.ports import Found, NotFound
from rulebook.networks import NetworkSet
from smtpgated_contracts.values.mail import Endpoint
from tests.support.arrivals import StandingArrival, arrival, not_found

BALANCER = Endpoint("192.0.2.1", 4711)
HERE = Endpoint("192.0.2.2", 2525)
CLIENT, FAR = Endpoint("203.0.113.7", 50000), Endpoint("198.51.100.25", 25)
PEERS = NetworkSet.parse(["192.0.2.1/32"])
IDENTITY = 0xE0
LINE = b"PROXY TCP4 203.0.113.7 198.51.100.25 50000 25\r\n"
HEADER = render(CLIENT, FAR, IDENTITY, b"subscriber-17")
LOCAL = HEADER[:12] + b"\x20\0\0\0"

FROM_THE_HEADER = ProxyProtocol(PEERS, IDENTITY)
FIXED = ProxyProtocol(PEERS, IDENTITY, Endpoint("192.0.2.99", 25))


def says(*octets: bytes) -> StandingArrival:
    return arrival(BALANCER, HERE, *octets)


@pytest.mark.parametrize(("header", "identity"), [(LINE, ""), (HEADER, "subscriber-17")])
async def test_the_header_says_who_came_and_where_to(header: bytes, identity: str) -> None:
    assert await FROM_THE_HEADER.find(says(header)) == Found(CLIENT, FAR, identity)


async def test_with_a_fixed_server_it_says_who_came() -> None:
    found = await FIXED.find(says(HEADER))
    assert found == Found(CLIENT, Endpoint("192.0.2.99", 25), "subscriber-17")


@pytest.mark.parametrize("header", [LINE, HEADER])
async def test_not_an_octet_of_the_session_is_lost_however_the_header_is_cut(header: bytes) -> None:
    stream = header + b"EHLO me\r\nNOOP\r\n"
    for cut in range(1, len(stream)):
        arrived = says(stream[:cut], stream[cut:])
        assert (await FROM_THE_HEADER.find(arrived)).source == CLIENT
        assert arrived.left_for_the_session == b"EHLO me\r\nNOOP\r\n"
    arrived = says(*(stream[at : at + 1] for at in range(len(stream))))
    assert (await FROM_THE_HEADER.find(arrived)).source == CLIENT
    assert arrived.left_for_the_session == b"EHLO me\r\nNOOP\r\n"


@pytest.mark.parametrize("way", [FROM_THE_HEADER, FIXED])
async def test_a_health_check_is_one(way: ProxyProtocol) -> None:
    assert (await not_found(way, says(LOCAL))).why is NotFound.PROBE


async def test_an_unknown_client_has_no_destination_but_a_fixed_server() -> None:
    unknown = b"PROXY UNKNOWN\r\n"
    assert (await not_found(FROM_THE_HEADER, says(unknown))).why is NotFound.UNKNOWN
    assert await FIXED.find(says(unknown)) == Found(BALANCER, Endpoint("192.0.2.99", 25))


@pytest.mark.parametrize("way", [FROM_THE_HEADER, FIXED])
async def test_who_is_not_listed_is_not_read(way: ProxyProtocol) -> None:
    arrived = arrival(Endpoint("192.0.2.3", 1), HERE, LINE)
    assert (await not_found(way, arrived)).why is NotFound.NOT_ALLOWED
    assert arrived.left_for_the_session == LINE


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO me\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.25 50000\r\n",
        b"PROXY TCP4 203.0.113.7 0.0.0.0 50000 25\r\n",
        b"PROXY TCP4 203.0.113.7 127.0.0.1 50000 25\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.25 50000 0\r\n",
        HEADER[:12] + b"\x21\x11\xff\xff",
    ],
)
async def test_what_is_not_to_be_believed(octets: bytes) -> None:
    assert (await not_found(FROM_THE_HEADER, says(octets))).why is NotFound.BAD_ANSWER


async def test_a_client_may_leave_within_the_header() -> None:
    assert (await not_found(FROM_THE_HEADER, says(HEADER[:20]))).why is NotFound.LEFT
