"""Listeners for every address: granted, given, or a sentence that says what to grant."""

import socket
from typing import cast

import pytest

from edge_proxy.links.transparent import open_to_every_address
from service_kit.errors import StartError

IP_TRANSPARENT, IPV6_TRANSPARENT = 19, 75


class Listener:
    """A socket that counts its options; ``granted``: the kernel lets them be set."""

    def __init__(self, family: socket.AddressFamily, *, granted: bool) -> None:
        self.family = family
        self.granted = granted
        self.options: dict[tuple[int, int], int] = {}

    def setsockopt(self, level: int, option: int, value: int) -> None:
        if not self.granted:
            raise PermissionError(1, "Operation not permitted")
        self.options[level, option] = value

    def getsockopt(self, level: int, option: int) -> int:
        return self.options.get((level, option), 0)


def opened(*listeners: Listener) -> None:
    open_to_every_address([cast("socket.socket", each) for each in listeners])


def test_a_dual_stack_listener_is_transparent_for_both_families() -> None:
    four = Listener(socket.AF_INET, granted=True)
    both = Listener(socket.AF_INET6, granted=True)
    opened(four, both)
    assert four.options == {(socket.IPPROTO_IP, IP_TRANSPARENT): 1}
    assert both.options == {
        (socket.IPPROTO_IP, IP_TRANSPARENT): 1,
        (socket.IPPROTO_IPV6, IPV6_TRANSPARENT): 1,
    }


def test_without_the_capability_the_start_says_what_to_grant() -> None:
    with pytest.raises(StartError, match=r"not permitted: mode tproxy needs CAP_NET_ADMIN: Amb"):
        opened(Listener(socket.AF_INET, granted=False))


def test_a_socket_that_came_transparent_needs_no_capability() -> None:
    given = Listener(socket.AF_INET6, granted=False)
    given.options = {
        (socket.IPPROTO_IP, IP_TRANSPARENT): 1,
        (socket.IPPROTO_IPV6, IPV6_TRANSPARENT): 1,
    }
    opened(given)


def test_half_transparent_is_not_transparent() -> None:
    given = Listener(socket.AF_INET6, granted=False)
    given.options = {(socket.IPPROTO_IP, IP_TRANSPARENT): 1}
    with pytest.raises(StartError):
        opened(given)
