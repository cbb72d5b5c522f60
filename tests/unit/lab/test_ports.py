"""Free ports are free, taken ones are told apart."""

import socket

import pytest

from lab.ports import free_port, settled, why_not
from service_kit.addresses import HostPort


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_free_port_can_be_listened_at(host: str) -> None:
    assert why_not(free_port(host)) == ""


def test_a_port_with_a_listener_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken = HostPort("127.0.0.1", listening.getsockname()[1])
        assert why_not(taken) == "Address already in use"


def test_a_foreign_address_cannot_be_listened_at() -> None:
    assert why_not(HostPort("192.0.2.1", 2525)) == "Cannot assign requested address"


def test_only_port_0_is_settled() -> None:
    assert settled(HostPort("127.0.0.1", 7)) == HostPort("127.0.0.1", 7)
    assert settled(HostPort("127.0.0.1", 0)).port > 0
