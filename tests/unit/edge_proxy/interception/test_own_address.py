"""Which addresses are this machine's."""

import pytest

from edge_proxy.interception.own_address import is_own_address


@pytest.mark.parametrize("address", ["127.0.0.1", "127.200.1.1", "::1"])
def test_the_loopback_is_ours(address: str) -> None:
    assert is_own_address(address)


@pytest.mark.parametrize(
    "address", ["192.0.2.1", "2001:db8::1", "fe80::1", "localhost", "", "224.0.0.1:25"]
)
def test_others_addresses_and_names_are_not(address: str) -> None:
    assert not is_own_address(address)
