"""What is made of IPFilter's answers; the kernel's part is played by a function."""

import ctypes
import errno
import os
import struct
from pathlib import Path

import pytest

from edge_proxy.interception.ipfilter import IpFilter
from edge_proxy.interception.ipfilter_wire import SIOCGNATL, NatLookup
from edge_proxy.ports import Found, NotFound
from service_kit.errors import StartError
from smtpgated_contracts.values.mail import Endpoint
from tests.support.arrivals import arrival, not_found

CLIENT, HERE = Endpoint("192.0.2.1", 4711), Endpoint("10.0.0.1", 2525)
DEVICE = 42
FIVE = NatLookup(5010200)


def ipfilter(answer: bytes | int, natlookup: NatLookup = FIVE) -> IpFilter:
    """``answer``: four octets of an address and two of a port, or an errno."""

    def ioctl(descriptor: int, number: int, structure: bytearray) -> int:
        assert (descriptor, number) == (DEVICE, SIOCGNATL)
        version, size, pointer, kind, _ = struct.unpack("@IIPii32x", structure)
        assert (version, kind) == (natlookup.version, 9)
        lookup = (ctypes.c_char * size).from_address(pointer)
        assert lookup.raw == bytes(natlookup.question(CLIENT, HERE))
        if isinstance(answer, int):
            raise OSError(answer, os.strerror(answer))
        address_at, port_at = (32, 60) if size == 64 else (8, 20)
        lookup[address_at : address_at + 4] = answer[:4]
        lookup[port_at : port_at + 2] = answer[4:]
        return 0

    return IpFilter(DEVICE, natlookup, ioctl)


@pytest.mark.parametrize("version", [4013400, 5010200])
async def test_ipfilter_knows_where_to(version: int) -> None:
    way = ipfilter(bytes([198, 51, 100, 25, 0, 25]), NatLookup(version))
    found = await way.find(arrival(CLIENT, HERE))
    assert found == Found(CLIENT, Endpoint("198.51.100.25", 25))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (errno.ESRCH, NotFound.NOT_INTERCEPTED),
        (errno.ENOENT, NotFound.NOT_INTERCEPTED),
        (errno.EPERM, NotFound.NO_ANSWER),
        (bytes([10, 0, 0, 1]) + (2525).to_bytes(2, "big"), NotFound.NOT_INTERCEPTED),
    ],
)
async def test_what_it_does_not_know(answer: bytes | int, why: NotFound) -> None:
    assert (await not_found(ipfilter(answer), arrival(CLIENT, HERE))).why is why


async def test_ipv6_is_beyond_ipfilter_4() -> None:
    way = ipfilter(errno.EFAULT, NatLookup(4013400))
    nothing = await not_found(way, arrival(Endpoint("2001:db8::1", 1), Endpoint("fd00::1", 25)))
    assert nothing.why is NotFound.UNKNOWN
    assert "IPv4 only" in str(nothing)


@pytest.mark.parametrize("platform", ["freebsd14", "netbsd10", "sunos5"])
def test_the_device_is_opened_at_the_start(tmp_path: Path, platform: str) -> None:
    with pytest.raises(StartError, match=r"destination.ipfilter.device = .*: No such file"):
        IpFilter.opened(tmp_path / "ipnat", 5010200, platform)
    (tmp_path / "ipnat").touch()
    os.close(IpFilter.opened(tmp_path / "ipnat", 5010200, platform)._device)


def test_another_system_is_told_what_would_be_right() -> None:
    with pytest.raises(StartError, match="mode = ipfilter needs freebsd or netbsd or sunos"):
        IpFilter.opened(Path("/dev/null"), 5010200, "linux")
