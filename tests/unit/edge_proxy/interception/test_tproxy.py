"""Where a transparent listener's connections were going."""

import socket
import struct

from edge_proxy.destination_settings import PRIVATE_NETWORKS
from edge_proxy.interception.tproxy import Tproxy
from edge_proxy.ports import Found, NotFound
from smtpgated_contracts.values.mail import Endpoint
from tests.support.arrivals import LocalEnd, StandingArrival, not_found
from tests.support.socket_ends import OptionedEnd

PUBLIC = Endpoint("192.0.2.7", 4711)
PRIVATE = Endpoint("10.1.2.3", 4711)
SERVER = Endpoint("198.51.100.25", 25)
BOTH = Tproxy(PRIVATE_NETWORKS)


def redirected(server: Endpoint) -> OptionedEnd:
    packed = struct.pack("!2sH4s8s", b"\2\0", server.port, socket.inet_aton(server.address), b"")
    return OptionedEnd(("10.1.0.1", 2525), {(socket.IPPROTO_IP, 80): packed})


async def test_a_server_is_to_see_the_customer() -> None:
    for name in (("198.51.100.25", 25), ("::ffff:198.51.100.25", 25, 0, 0)):
        found = await Tproxy().find(StandingArrival(PUBLIC, LocalEnd(name)))
        assert found == Found(PUBLIC, SERVER, transparent=True)


async def test_a_private_source_is_transparent_unless_it_is_redirected() -> None:
    found = await Tproxy().find(StandingArrival(PRIVATE, LocalEnd(("198.51.100.25", 25))))
    assert found == Found(PRIVATE, SERVER, transparent=True)


async def test_a_redirected_source_is_not_what_the_server_sees() -> None:
    found = await BOTH.find(StandingArrival(PRIVATE, redirected(SERVER)))
    assert found == Found(PRIVATE, SERVER)


async def test_both_kinds_come_in_by_one_listener() -> None:
    found = await BOTH.find(StandingArrival(PUBLIC, LocalEnd(("198.51.100.25", 25))))
    assert found.transparent
    for private in ("172.16.9.9", "192.168.1.1", "169.254.3.3", "100.64.0.1", "fd00::1"):
        arrived = StandingArrival(Endpoint(private, 4711), redirected(SERVER))
        assert not (await BOTH.find(arrived)).transparent


async def test_a_private_source_that_rules_did_not_redirect_is_not_served() -> None:
    arrived = StandingArrival(PRIVATE, OptionedEnd(("198.51.100.25", 25)))
    assert (await not_found(BOTH, arrived)).why is NotFound.NOT_INTERCEPTED
