"""What is made of pf's answers; the kernel's part is played by a function."""

import errno
import os
from pathlib import Path

import pytest

from edge_proxy.interception.pf import Pf
from edge_proxy.interception.pf_wire import FREEBSD, OPENBSD, NatLook
from edge_proxy.ports import Found, NotFound
from service_kit.errors import StartError
from smtpgated_contracts.values.mail import Endpoint
from tests.support.arrivals import LocalEnd, StandingArrival, arrival, not_found

CLIENT, HERE = Endpoint("192.0.2.1", 4711), Endpoint("10.0.0.1", 2525)
DEVICE = 42


def pf(natlook: NatLook, answer: str | int, family: int = 2) -> Pf:
    """``answer``: address and port in hex, or an errno."""

    def ioctl(descriptor: int, number: int, structure: bytearray) -> int:
        assert (descriptor, number) == (DEVICE, natlook.ioctl)
        if isinstance(answer, int):
            raise OSError(answer, os.strerror(answer))
        octets = bytes.fromhex(answer)
        structure[48 : 48 + len(octets) - 2] = octets[:-2]
        family_at = 72 if natlook is FREEBSD else 76
        structure[family_at - 2 : family_at] = octets[-2:]
        structure[family_at] = family
        return 0

    return Pf(DEVICE, natlook, ioctl)


@pytest.mark.parametrize("natlook", [FREEBSD, OPENBSD])
async def test_pf_knows_where_to(natlook: NatLook) -> None:
    found = await pf(natlook, "c6336419 0019").find(arrival(CLIENT, HERE))
    assert found == Found(CLIENT, Endpoint("198.51.100.25", 25))


async def test_an_ipv4_client_of_a_dual_stack_listener_is_asked_about_as_ipv4() -> None:
    asked: list[bytes] = []

    def ioctl(_descriptor: int, _number: int, structure: bytearray) -> int:
        asked.append(bytes(structure))
        structure[48:52] = bytes([198, 51, 100, 25])
        return 0

    arrived = StandingArrival(CLIENT, LocalEnd(("::ffff:10.0.0.1", 2525, 0, 0)))
    await Pf(DEVICE, FREEBSD, ioctl).find(arrived)
    assert asked[0] == bytes(FREEBSD.question(CLIENT, HERE))


@pytest.mark.parametrize(
    ("answer", "family", "why"),
    [
        (errno.ENOENT, 2, NotFound.NOT_INTERCEPTED),
        (errno.EPERM, 2, NotFound.NO_ANSWER),
        (errno.ENOTTY, 2, NotFound.NO_ANSWER),
        ("0a000001 09dd", 2, NotFound.NOT_INTERCEPTED),
        ("c6336419 0019", 7, NotFound.BAD_ANSWER),
    ],
)
async def test_what_it_does_not_know(answer: str | int, family: int, why: NotFound) -> None:
    nothing = await not_found(pf(FREEBSD, answer, family), arrival(CLIENT, HERE))
    assert nothing.why is why


@pytest.mark.parametrize("platform", ["freebsd14", "openbsd7"])
def test_the_device_is_opened_at_the_start(tmp_path: Path, platform: str) -> None:
    with pytest.raises(StartError, match=r"destination.pf.device = .*pf: No such file"):
        Pf.opened(tmp_path / "pf", platform)
    (tmp_path / "pf").touch()
    os.close(Pf.opened(tmp_path / "pf", platform)._device)


def test_another_system_is_told_what_would_be_right() -> None:
    with pytest.raises(StartError, match=r"mode = pf needs freebsd or openbsd.*use redirect"):
        Pf.opened(Path("/dev/null"), "linux")
