import pytest

from rulebook.errors import RulebookError
from rulebook.networks import NetworkSet


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("192.0.2.0/24", ["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0"]),
        ("192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8"]),
        ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::1"]),
        ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff::1"], ["2001:db9::", "32.1.13.184"]),
        ("::1/128", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1"]),
        ("::/0", ["::", "ffff::"], ["0.0.0.0"]),
    ],
)
def test_a_network_covers_its_addresses_and_no_other_familys(
    network: str, inside: list[str], outside: list[str]
) -> None:
    networks = NetworkSet.parse([network])
    assert [networks.covers(address) for address in inside] == [True] * len(inside)
    assert [networks.covers(address) for address in outside] == [False] * len(outside)


def test_any_network_of_the_set_will_do() -> None:
    networks = NetworkSet.parse(["192.0.2.0/24", "2001:db8::/32", "198.51.100.9"])
    assert networks.covers("198.51.100.9")
    assert networks.covers("2001:db8::9")
    assert not networks.covers("198.51.100.8")


def test_no_network_covers_nothing() -> None:
    assert not NetworkSet().covers("192.0.2.1")


@pytest.mark.parametrize("address", ["", "somewhere", "192.0.2", "192.0.2.1/32", "192.0.2.1:25"])
def test_what_is_no_address_lies_in_no_network(address: str) -> None:
    assert not NetworkSet.parse(["0.0.0.0/0", "::/0"]).covers(address)


@pytest.mark.parametrize(
    "text", ["", "somewhere", "192.0.2.1/24", "192.0.2.0/33", "2001:db8::/129"]
)
def test_what_is_no_network_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(RulebookError, match="is not a network") as error:
        NetworkSet.parse(["192.0.2.0/24", text])
    assert repr(text) in str(error.value)


def test_sets_of_the_same_networks_are_equal() -> None:
    one, other = NetworkSet.parse(["192.0.2.0/24"]), NetworkSet.parse(["192.0.2.0/24"])
    one.covers("192.0.2.1")  # what was looked up before is no part of the value
    assert one == other
