"""Which of the doors that were given are wanted, and that the others are bound or closed."""

import socket
from collections.abc import Mapping
from typing import Any

import pytest

from edge_proxy.config import EdgeSettings
from edge_proxy.handover.doors import furnish
from edge_proxy.links.listener import address_of
from service_kit.addresses import HostPort
from service_kit.errors import StartError

FIXED = {"mode": "fixed", "server": "192.0.2.1:25"}


def settings(*addresses: object, **tables: Mapping[str, Any]) -> EdgeSettings:
    listen = {"addresses": [str(each) for each in addresses]}
    return EdgeSettings.model_validate({"destination": FIXED, "listen": listen, **tables})


def given(host: str = "127.0.0.1") -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, 0), family=family)


def test_what_is_not_given_is_bound() -> None:
    doors, surplus = furnish(
        settings("127.0.0.1:0", "[::1]:0", metrics={"listen": "127.0.0.1:0"}), []
    )
    assert [address_of(each).host for each in doors.sessions] == ["127.0.0.1", "::1"]
    assert doors.status is not None
    assert (len(doors.all()), surplus) == (3, [])
    doors.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_given_door_is_found_by_its_address(host: str) -> None:
    door, status = given(host), given()
    wanted = settings(address_of(door), metrics={"listen": str(address_of(status))})
    doors, surplus = furnish(wanted, [status, door])
    assert doors.sessions == [door]
    assert doors.status is status
    assert surplus == []
    doors.close()


def test_a_host_name_means_the_address_it_resolves_to() -> None:
    door = given()
    doors, _ = furnish(settings(f"localhost:{address_of(door).port}"), [door])
    assert doors.sessions == [door]
    doors.close()


def test_the_order_is_the_configurations() -> None:
    one, two = given(), given()
    doors, _ = furnish(settings(address_of(two), address_of(one)), [one, two])
    assert doors.sessions == [two, one]
    doors.close()


def test_what_nobody_asked_for_is_named_and_closed() -> None:
    door = given()
    address = address_of(door)
    doors, surplus = furnish(settings("127.0.0.1:0"), [door])
    assert surplus == [address]
    assert door.fileno() == -1
    doors.close()


def test_when_one_cannot_be_bound_none_is_kept() -> None:
    with given() as taken:
        door = given()
        with pytest.raises(StartError, match="Address already in use"):
            furnish(settings(address_of(door), address_of(taken)), [door])
        assert door.fileno() == -1


def test_a_name_that_does_not_resolve_is_binds_to_complain_about() -> None:
    with pytest.raises(StartError, match="cannot listen on nowhere"):
        furnish(settings(HostPort("nowhere.invalid", 2525)), [])
