"""Whatever routers and load balancers say: it is read, waited for, or malformed; nothing else."""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.interception.ident_wire import LONGEST_ANSWER, parse_answer
from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.proxied import Proxied
from edge_proxy.interception.proxy_header import parse_header
from edge_proxy.interception.proxy_helper_wire import (
    Query,
    Reply,
    parse_query,
    parse_reply,
    render_query,
    render_reply,
)
from edge_proxy.interception.proxy_v2_wire import MOST_FOLLOWING, render
from smtpgated_contracts.values.mail import Endpoint

IDENTITY = 0xE7
PORTS = st.integers(0, 65_535)
IPV4 = st.builds(lambda a, p: Endpoint(str(a), p), st.ip_addresses(v=4), PORTS)


def _unmapped(address: IPv4Address | IPv6Address, port: int) -> Endpoint:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return Endpoint(str(mapped or address), port)


ENDS = st.builds(_unmapped, st.ip_addresses(), PORTS)
SIGNATURE = render(Endpoint("192.0.2.1", 1), Endpoint("192.0.2.2", 2))[:12]
BEGINNINGS = st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", b"PROXY UNKNOWN", SIGNATURE])
COMMANDS = st.sampled_from([b"", b"\x21\x11", b"\x21\x21", b"\x20\0", b"\x21\x11\0\x10"])
HEADERS = st.builds(
    lambda *parts: b"".join(parts) or b"x", BEGINNINGS, COMMANDS, st.binary(max_size=200)
)


@given(HEADERS, st.integers(0, 400))
def test_a_header_is_read_alike_however_it_is_cut(octets: bytes, cut: int) -> None:
    whole: Proxied | None = None
    with suppress(Malformed):
        whole = parse_header(octets, IDENTITY)
    if whole is None:
        return
    assert 0 < whole.octets <= min(len(octets), 16 + MOST_FOLLOWING)
    first = octets[: max(1, min(cut, whole.octets - 1))]
    assert parse_header(first, IDENTITY) is None
    assert parse_header(octets[: whole.octets], IDENTITY) == whole


@given(ENDS, ENDS, st.binary(max_size=300), st.binary(max_size=20))
def test_what_we_render_is_read_back(
    source: Endpoint, destination: Endpoint, identity: bytes, behind: bytes
) -> None:
    header = render(source, destination, IDENTITY, identity)
    assert parse_header(header + behind, IDENTITY) == Proxied(
        len(header), source=source, destination=destination, identity=identity
    )


@given(st.binary(min_size=4, max_size=4), st.binary(min_size=4, max_size=4), IPV4, IPV4, IPV4)
def test_a_question_and_its_answer_are_read_back(
    cookie: bytes, secret: bytes, client: Endpoint, local: Endpoint, destination: Endpoint
) -> None:
    query = Query(cookie, secret, client, local)
    assert parse_query(render_query(query)) == query
    reply = Reply(cookie, secret, destination, b"subscriber")
    assert parse_reply(render_reply(query, reply)) == reply


@given(st.binary(max_size=80) | st.binary(min_size=66, max_size=66))
def test_any_datagram_is_read_or_malformed(datagram: bytes) -> None:
    for octets in (datagram, b"RPHD" + datagram[4:]):
        with suppress(Malformed):
            parse_query(octets)
        with suppress(Malformed):
            parse_reply(octets)


@given(st.text(alphabet="58018 ,:ORIGNE.12\r\n\0x", max_size=80).map(str.encode) | st.binary())
def test_any_ident_answer_is_read_or_malformed(answer: bytes) -> None:
    for octets in (answer, b"1 , 2 : ORIGIN : 1.2.3.4 : 25 : " + answer):
        with suppress(Malformed):
            origin = parse_answer(octets, 1, 2)
            assert origin is None or 0 < len(origin.identity) <= LONGEST_ANSWER
