"""The local address of the accepted socket is the destination."""

import pytest

from edge_proxy.interception.getsockname import Getsockname
from edge_proxy.ports import Found
from smtpgated_contracts.values.mail import Endpoint
from tests.support.arrivals import LocalEnd, StandingArrival

CLIENT = Endpoint("192.0.2.1", 4711)


@pytest.mark.parametrize(
    ("name", "destination"),
    [
        (("198.51.100.25", 25), Endpoint("198.51.100.25", 25)),
        (("::ffff:198.51.100.25", 25, 0, 0), Endpoint("198.51.100.25", 25)),
        (("2001:db8::25", 587, 0, 0), Endpoint("2001:db8::25", 587)),
        (("fe80::25%em0", 25, 0, 2), Endpoint("fe80::25", 25)),
    ],
)
async def test_it_is_where_the_client_was_going(
    name: tuple[str, int] | tuple[str, int, int, int], destination: Endpoint
) -> None:
    found = await Getsockname().find(StandingArrival(CLIENT, LocalEnd(name)))
    assert found == Found(CLIENT, destination)
