"""What is read of the machine the tests run on."""

import socket
import sys

import pytest

from edge_proxy.router.machine import ThisMachine
from service_kit.addresses import HostPort

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
MACHINE = ThisMachine()


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_who_listens(family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family) as listening:
        address = HostPort(*listening.getsockname()[:2])
        assert address in MACHINE.listening()
    assert address not in MACHINE.listening()


def test_a_sysctl_and_one_that_is_not_there() -> None:
    assert MACHINE.sysctl("net.ipv4.ip_forward") in ("0", "1")
    assert MACHINE.sysctl("net.ipv4.no_such_thing") is None


def test_interfaces_and_addresses() -> None:
    assert "lo" in MACHINE.interfaces()
    assert MACHINE.is_own("127.0.0.1")


def test_what_a_program_says_and_that_it_failed() -> None:
    assert MACHINE.said("echo", "a", "b c") == "a b c\n"
    assert MACHINE.said("false") is None
    assert MACHINE.said("no-such-program-here") is None
