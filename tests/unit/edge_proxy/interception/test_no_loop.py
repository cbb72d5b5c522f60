"""What would come back to the edge is turned away."""

import socket
import struct
from dataclasses import dataclass

import pytest

from edge_proxy.interception.no_loop import NoLoop
from edge_proxy.ports import Arrived, Found, NotFound
from service_kit.addresses import HostPort
from smtpgated_contracts.values.mail import Endpoint
from tests.support.arrivals import StandingArrival, not_found
from tests.support.socket_ends import OptionedEnd

CLIENT = Endpoint("192.0.2.7", 4711)
SERVER = Endpoint("198.51.100.25", 25)
EVERYWHERE = (HostPort("::", 2525),)


@dataclass(frozen=True)
class Finds:
    destination: Endpoint
    source: Endpoint = CLIENT

    async def find(self, _arrived: Arrived) -> Found:
        return Found(self.source, self.destination)


def arrived(mark: int = 0) -> StandingArrival:
    options = {(socket.SOL_SOCKET, socket.SO_MARK): struct.pack("=I", mark)}
    return StandingArrival(CLIENT, OptionedEnd(("10.0.0.1", 2525), options))


async def test_what_leads_elsewhere_is_as_it_was_found() -> None:
    inner = Finds(SERVER)
    found = await NoLoop(inner, EVERYWHERE, mark=7).find(arrived(mark=1))
    assert found == Found(CLIENT, SERVER)


@pytest.mark.parametrize(
    ("destination", "listening"),
    [
        (Endpoint("127.0.0.1", 2525), HostPort("0.0.0.0", 2525)),
        (Endpoint("127.9.9.9", 2525), HostPort("::", 2525)),
        (Endpoint("::1", 2525), HostPort("::", 2525)),
        (Endpoint("192.0.2.200", 2525), HostPort("192.0.2.200", 2525)),
    ],
)
async def test_a_destination_where_we_listen(destination: Endpoint, listening: HostPort) -> None:
    way = NoLoop(Finds(destination), [HostPort("192.0.2.201", 2526), listening])
    assert (await not_found(way, arrived())).why is NotFound.LOOP


@pytest.mark.parametrize(
    "destination",
    [
        Endpoint("127.0.0.1", 25),  # another program of this machine
        Endpoint("192.0.2.200", 2525),  # another machine that uses our port
        Endpoint("mx.example", 2525),  # a name is not looked up
    ],
)
async def test_a_destination_that_only_looks_like_us(destination: Endpoint) -> None:
    found = await NoLoop(Finds(destination), EVERYWHERE).find(arrived())
    assert found.original_destination == destination


async def test_a_source_that_is_its_own_destination() -> None:
    inner = Finds(SERVER, source=Endpoint(SERVER.address, 4711))
    assert (await not_found(NoLoop(inner, ()), arrived())).why is NotFound.LOOP
    found = await NoLoop(inner, (), may_be_source=True).find(arrived())
    assert found.original_destination == SERVER


async def test_a_connection_of_our_own() -> None:
    way = NoLoop(Finds(SERVER), EVERYWHERE, mark=7)
    assert (await not_found(way, arrived(mark=7))).why is NotFound.LOOP
