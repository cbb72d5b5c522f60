"""The PROXY line of version 1, whole, octet by octet, and with the session behind it."""

import pytest

from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.proxied import Proxied
from edge_proxy.interception.proxy_header import parse_header
from edge_proxy.interception.proxy_v1_wire import LONGEST
from smtpgated_contracts.values.mail import Endpoint

FOUR = b"PROXY TCP4 192.0.2.1 198.51.100.25 4711 25\r\n"
SIX = b"PROXY TCP6 2001:db8::1 2001:db8::25 4711 25\r\n"
UNKNOWN = b"PROXY UNKNOWN\r\n"
SPEC_LONGEST = (
    b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535".replace(b"f...f", b"f:" * 5 + b"f")
    + b"\r\n"
)

READ = [
    (FOUR, Endpoint("192.0.2.1", 4711), Endpoint("198.51.100.25", 25)),
    (SIX, Endpoint("2001:db8::1", 4711), Endpoint("2001:db8::25", 25)),
    (
        b"PROXY TCP6 ::ffff:192.0.2.1 2001:DB8:0::25 0 65535\r\n",
        Endpoint("192.0.2.1", 0),
        Endpoint("2001:db8::25", 65535),
    ),
    (UNKNOWN, None, None),
    (b"PROXY UNKNOWN \xff anything 1\r\n", None, None),
]


@pytest.mark.parametrize(("line", "source", "destination"), READ)
def test_whole_octet_by_octet_and_with_a_session_behind_it(
    line: bytes, source: Endpoint | None, destination: Endpoint | None
) -> None:
    proxied = Proxied(len(line), source=source, destination=destination)
    assert parse_header(line, None) == proxied
    for cut in range(1, len(line)):
        assert parse_header(line[:cut], None) is None
    for behind in (b"E", b"EHLO me\r\n", line):
        assert parse_header(line + behind, None) == proxied


def test_the_longest_line_is_read_and_a_longer_one_is_not_waited_for() -> None:
    assert len(SPEC_LONGEST) <= LONGEST
    longest = b"PROXY UNKNOWN ".ljust(LONGEST - 2, b"x")
    assert parse_header(longest + b"\r\n", None) == Proxied(LONGEST)
    assert parse_header(longest + b"\r", None) is None
    with pytest.raises(Malformed, match="more than 107"):
        parse_header(longest + b"xx", None)
    with pytest.raises(Malformed, match="more than 107"):
        parse_header(longest + b"x\r\n", None)


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY \r\n",
        b"PROXY TCP4\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.25 4711\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.25 4711 25 \r\n",
        b"PROXY TCP4  192.0.2.1 198.51.100.25 4711 25\r\n",
        b"PROXY TCP4\t192.0.2.1 198.51.100.25 4711 25\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.25 4711 25\n\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.25 04711 25\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.25 +4711 25\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.25 4711 65536\r\n",
        b"PROXY TCP4 192.0.2.256 198.51.100.25 4711 25\r\n",
        b"PROXY TCP4 192.0.2.01 198.51.100.25 4711 25\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::25 4711 25\r\n",
        b"PROXY TCP6 192.0.2.1 198.51.100.25 4711 25\r\n",
        b"PROXY TCP6 fe80::1%em0 2001:db8::25 4711 25\r\n",
        b"PROXY UDP4 192.0.2.1 198.51.100.25 4711 25\r\n",
        b"PROXY UNKNOWNX\r\n",
        b"PROXY UNKNOWN a\nb\r\n",
    ],
)
def test_a_line_that_is_not_exactly_so_is_malformed(line: bytes) -> None:
    with pytest.raises(Malformed):
        parse_header(line, None)


@pytest.mark.parametrize("octets", [b"E", b"EHLO me\r\n", b"proxy TCP4", b"PROXX", b"\n", b"\r\nX"])
def test_what_begins_otherwise_is_no_header(octets: bytes) -> None:
    with pytest.raises(Malformed, match="no PROXY header"):
        parse_header(octets, None)
