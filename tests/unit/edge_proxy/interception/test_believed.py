"""What is believed of others' answers."""

import pytest

from edge_proxy.interception.believed import LONGEST_IDENTITY, allowed, believed, identity_of
from edge_proxy.ports import NoDestination, NotFound
from rulebook.networks import NetworkSet
from smtpgated_contracts.values.mail import Endpoint

ROUTER = Endpoint("192.0.2.1", 4711)


def test_listed_peers_may_speak_for_others() -> None:
    peers = NetworkSet.parse(["192.0.2.0/28", "2001:db8::/32"])
    assert allowed(ROUTER, peers) == ROUTER
    assert allowed(Endpoint("2001:db8::1", 1), peers).port == 1
    with pytest.raises(NoDestination) as refused:
        allowed(Endpoint("192.0.2.16", 1), peers)
    assert refused.value.why is NotFound.NOT_ALLOWED


@pytest.mark.parametrize(
    "destination",
    [
        Endpoint("198.51.100.25", 25),
        Endpoint("10.0.0.1", 587),
        Endpoint("2001:db8::25", 65535),
    ],
)
def test_a_server_is_a_destination(destination: Endpoint) -> None:
    assert believed(destination, ROUTER) == destination


@pytest.mark.parametrize(
    "destination",
    [
        Endpoint("198.51.100.25", 0),
        Endpoint("0.0.0.0", 25),
        Endpoint("::", 25),
        Endpoint("224.0.0.1", 25),
        Endpoint("ff02::1", 25),
        Endpoint("127.0.0.1", 25),
        Endpoint("127.8.9.10", 25),
        Endpoint("::1", 25),
    ],
)
def test_the_edges_own_host_is_none(destination: Endpoint) -> None:
    with pytest.raises(NoDestination) as refused:
        believed(destination, ROUTER)
    assert refused.value.why is NotFound.BAD_ANSWER


def test_loopback_is_believed_of_loopback() -> None:
    local = Endpoint("127.0.0.2", 25)
    assert believed(local, Endpoint("127.0.0.1", 1)) == local


@pytest.mark.parametrize(
    ("octets", "identity"),
    [
        (b"", ""),
        (b"subscriber-17", "subscriber-17"),
        (b"  two words \t", "two words"),
        ("zażółć".encode(), "zażółć"),
        (b"a\nb\x1b[31mc\0", "a?b?[31mc?"),
        (b"caf\xe9", "caf\N{REPLACEMENT CHARACTER}"),
        ("a\u202eb".encode(), "a?b"),
        (b"x" * 500, "x" * LONGEST_IDENTITY),
    ],
)
def test_an_identity_is_a_short_line_of_text(octets: bytes, identity: str) -> None:
    assert identity_of(octets) == identity
