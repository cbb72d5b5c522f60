"""The source as it was before this machine's NAT."""

from dataclasses import dataclass, field

from edge_proxy.interception.conntrack import NotAsked
from edge_proxy.interception.conntrack_wire import Flow
from edge_proxy.interception.fixed import Fixed
from edge_proxy.interception.pre_nat import PreNat
from edge_proxy.ports import Found, NotFound
from smtpgated_contracts.values.mail import Endpoint
from tests.support.arrivals import LocalEnd, StandingArrival, not_found

SEEN = Endpoint("192.0.2.77", 40_001)
CUSTOMER = Endpoint("10.1.2.3", 4711)
SERVER = Endpoint("198.51.100.25", 25)
EDGE = Endpoint("10.1.0.1", 2525)


@dataclass
class Table:
    """A conntrack that knows one connection; ``silent``: it cannot be asked."""

    original: Flow | None = None
    silent: bool = False
    asked: list[Flow] = field(default_factory=list)

    def original_of(self, reply: Flow) -> Flow | None:
        self.asked.append(reply)
        if self.silent:
            raise NotAsked("conntrack: Operation not permitted")
        return self.original


def arrived() -> StandingArrival:
    return StandingArrival(SEEN, LocalEnd(("::ffff:10.1.0.1", 2525, 0, 0)))


async def test_the_customer_is_the_source_and_the_destination_stands() -> None:
    table = Table(Flow(CUSTOMER, Endpoint("198.51.100.99", 25)))
    found = await PreNat(Fixed(SERVER), table).find(arrived())
    assert found == Found(CUSTOMER, SERVER)
    assert table.asked == [Flow(EDGE, SEEN)]


async def test_a_connection_without_nat_has_the_source_it_shows() -> None:
    found = await PreNat(Fixed(SERVER), Table()).find(arrived())
    assert found == Found(SEEN, SERVER)


async def test_nobody_is_served_in_the_nats_name() -> None:
    nothing = await not_found(PreNat(Fixed(SERVER), Table(silent=True)), arrived())
    assert nothing.why is NotFound.NO_ANSWER
    assert "not permitted" in str(nothing)
