"""What a fixed server is told about a client first."""

from edge_proxy.interception.introduce import proxy_header
from edge_proxy.interception.proxied import Proxied
from edge_proxy.interception.proxy_header import parse_header
from edge_proxy.ports import Found
from smtpgated_contracts.values.mail import Endpoint

CLIENT, REACHED = Endpoint("192.0.2.1", 4711), Endpoint("10.0.0.1", 2525)
FOUND = Found(CLIENT, Endpoint("198.51.100.25", 25), "abonent-zażółć")
IDENTITY = 0xE4


def test_it_names_the_client_and_what_he_reached() -> None:
    octets = proxy_header(FOUND, REACHED, None)
    assert parse_header(octets, IDENTITY) == Proxied(28, source=CLIENT, destination=REACHED)


def test_his_identity_goes_along_where_that_is_wanted() -> None:
    proxied = parse_header(proxy_header(FOUND, REACHED, IDENTITY), IDENTITY)
    assert proxied is not None
    assert proxied.identity.decode() == "abonent-zażółć"
